// Publishes each entry that the store has committed on the bus. An entry is encoded once for all its readers.
import type { Bus, EntryMessage, Topic } from "../bus/bus.ts";
import type { AppendedEntry, LogStore } from "../store/store.ts";
import { type EntryUsers, encodeAck, encodeEntryAppended } from "./encoding.ts";

/** What every append stores in NewEntry.origin: facts that the announcement needs but the log does not contain. */
export interface SendOrigin {
  readonly users: EntryUsers;
  /** The stream that sent the entry. It receives the Ack in the entry's position. */
  readonly stream: object | undefined;
}

export function startDelivery(log: LogStore, bus: Bus): void {
  log.onAppended((entries) => {
    for (const entry of entries) {
      const message = toMessage(entry, entry.origin as SendOrigin);
      for (const topic of topicsOf(entry)) bus.publish(topic, message);
    }
  });
}

const noUsers: ReadonlySet<number> = new Set();

function toMessage(entry: AppendedEntry, origin: SendOrigin): EntryMessage {
  const piece = encodeEntryAppended(entry, origin.users);
  const { conversationId, seq } = entry;
  const hiddenFrom = entry.hiddenFrom.length === 0 ? noUsers : new Set(entry.hiddenFrom);
  const common = { kind: "entry", conversationId, seq, piece, hiddenFrom } as const;
  if (origin.stream === undefined) return common;
  return { ...common, origin: origin.stream, ack: encodeAck(entry) };
}

function topicsOf(entry: AppendedEntry): Topic[] {
  switch (entry.kind) {
    case "broadcast":
      return ["everyone"];
    case "direct":
      return entry.recipientId === undefined
        ? [`user:${entry.senderId}`]
        : [`user:${entry.senderId}`, `user:${entry.recipientId}`];
  }
}

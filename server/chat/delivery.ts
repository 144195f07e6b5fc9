// From the store's announcement to the bus: each committed entry is encoded once and sent to whoever may be interested.
import type { Bus, EntryMessage, Topic } from "../bus/bus.ts";
import type { AppendedEntry, LogStore } from "../store/store.ts";
import { type EntryUsers, encodeAck, encodeEntryAppended } from "./encoding.ts";

/** What every append puts into NewEntry.origin: what its announcement needs and the log does not hold. */
export interface SendOrigin {
  readonly users: EntryUsers;
  /** The stream that sent it: there the Ack takes the entry's place. */
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

const nobody: ReadonlySet<number> = new Set();

function toMessage(entry: AppendedEntry, origin: SendOrigin): EntryMessage {
  const piece = encodeEntryAppended(entry, origin.users);
  const { conversationId, seq } = entry;
  const hiddenFrom = entry.hiddenFrom.length === 0 ? nobody : new Set(entry.hiddenFrom);
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

// From frames as they were recorded to frames that say the same on another server, or on the same one later.
import type { DescField } from "@bufbuild/protobuf";
import { type ReflectList, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { messageOf } from "../process/schema.ts";
import { type ConversationNames, everyone } from "./conversation-names.ts";
import { cursorsHere, moved } from "./cursors-here.ts";
import { rewrite } from "./walk.ts";

const seqs = new Set(["delivered_seq", "read_seq"]);

export interface Translation {
  /** What ids stood for where it was recorded. */
  readonly from: ConversationNames;
  /** What they stand for where it is played. */
  readonly to: ConversationNames;
  /** An id that was not used yet for one that was recorded; the same for the same. */
  readonly clientMessageId: (recorded: bigint) => bigint;
}

/** An encoded ConnectRequest for an encoded ConnectRequest. What the schema does not know stays as it is. */
export function translated(frame: Uint8Array, translation: Translation): Uint8Array {
  return rewrite(messageOf("parley.chat.v1.ConnectRequest"), frame, (message, field) => {
    if (field.name === "hello") return moveCursors(message.get(field) as ReflectMessage, translation);
    if (field.name === "client_message_id") return renumber(message, field, translation);
    if (field.name === "conversation_id" && message.desc.name !== "Cursor")
      return rename(message, field, translation);
    return false;
  });
}

function renumber(message: ReflectMessage, field: DescField, { clientMessageId }: Translation): boolean {
  const recorded = message.get(field);
  if (typeof recorded !== "bigint" || recorded === 0n) return false;
  message.set(field, clientMessageId(recorded));
  return true;
}

/** Moves the markers beside the id by what the conversation has grown. */
function rename(message: ReflectMessage, field: DescField, { from, to }: Translation): boolean {
  const name = from.nameOf(String(message.get(field)));
  if (name === undefined) return false;
  for (const sibling of message.fields) {
    const seq = seqs.has(sibling.name) && message.isSet(sibling) ? message.get(sibling) : undefined;
    if (typeof seq === "bigint") message.set(sibling, moved(seq, name, { from, to }));
  }
  const conversationId = to.idOf(name);
  const username = message.fields.find((one) => one.name === "username" && one.oneof === field.oneof);
  if (conversationId !== undefined) message.set(field, conversationId);
  // Nothing has been said yet: a user can be written to all the same.
  else if (username !== undefined && name !== everyone) message.set(username, name);
  return true;
}

function moveCursors(hello: ReflectMessage, translation: Translation): boolean {
  const field = hello.fields.find(({ name }) => name === "cursors");
  const cursor = field?.message;
  const [id, seq] = ["conversation_id", "seq"].map((wanted) =>
    cursor?.fields.find(({ name }) => name === wanted),
  );
  if (field === undefined || cursor === undefined || id === undefined || seq === undefined) return false;
  const list = hello.get(field) as ReflectList<ReflectMessage>;
  const recorded = [...list].map((one) => ({
    conversationId: String(one.get(id)),
    seq: BigInt(String(one.get(seq))),
  }));
  list.clear();
  for (const here of cursorsHere(recorded, translation)) {
    const one = reflect(cursor);
    one.set(id, here.conversationId);
    one.set(seq, here.seq);
    list.add(one);
  }
  return true;
}

// Translates recorded frames for another server, or for the same server at a later time.
import type { DescField } from "@bufbuild/protobuf";
import { type ReflectList, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { messageOf } from "../process/schema.ts";
import { type ConversationNames, everyone } from "./conversation-names.ts";
import { translateCursors, translateSeq } from "./translate-cursors.ts";
import { rewrite } from "./walk.ts";

const seqs = new Set(["delivered_seq", "read_seq"]);

export interface Translation {
  /** The conversations of the recording. */
  readonly from: ConversationNames;
  /** The conversations of the replay. */
  readonly to: ConversationNames;
  /** Returns an unused id for a recorded one, always the same for the same recorded id. */
  readonly clientMessageId: (recorded: bigint) => bigint;
}

/** Translates an encoded ConnectRequest. Unknown fields stay unchanged. */
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

/** Replaces the conversation's id, and moves the markers beside it by the growth of the conversation. */
function rename(message: ReflectMessage, field: DescField, { from, to }: Translation): boolean {
  const name = from.nameOf(String(message.get(field)));
  if (name === undefined) return false;
  for (const sibling of message.fields) {
    const seq = seqs.has(sibling.name) && message.isSet(sibling) ? message.get(sibling) : undefined;
    if (typeof seq === "bigint") message.set(sibling, translateSeq(seq, name, { from, to }));
  }
  const conversationId = to.idOf(name);
  const username = message.fields.find((one) => one.name === "username" && one.oneof === field.oneof);
  if (conversationId !== undefined) message.set(field, conversationId);
  // The conversation does not exist yet; a message to the user starts it.
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
  for (const here of translateCursors(recorded, translation)) {
    const one = reflect(cursor);
    one.set(id, here.conversationId);
    one.set(seq, here.seq);
    list.add(one);
  }
  return true;
}

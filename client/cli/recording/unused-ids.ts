// Unused ids for recorded and replayed sends, apart from the ids that profiles count and those that people choose.
import { randomInt } from "node:crypto";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import { messageOf } from "../process/schema.ts";
import { rewrite } from "./walk.ts";

/** Rising ids that begin with the time and a random number, so that another process does not get the same ids. */
export function unusedIds(): () => bigint {
  let last = (BigInt(Date.now()) << 20n) + BigInt(randomInt(2 ** 20));
  return () => ++last;
}

/** Adds the next id to each send without one. @param frame an encoded ConnectRequest */
export function withIds(frame: Uint8Array, next: () => bigint): Uint8Array {
  return rewrite(messageOf("parley.chat.v1.ConnectRequest"), frame, (message, field) => {
    const id = field.message?.fields.find(({ name }) => name === "client_message_id");
    if (id === undefined || field.fieldKind !== "message") return false;
    const send: ReflectMessage = message.get(field);
    if (send.isSet(id)) return false;
    send.set(id, next());
    return true;
  });
}

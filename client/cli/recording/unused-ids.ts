// Ids for sends that are written or played by hand: apart from those that a profile counts, and from those that people choose.
import { randomInt } from "node:crypto";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import { messageOf } from "../process/schema.ts";
import { rewrite } from "./walk.ts";

/** Rising, from the time on: no other process, and no later one, gets the same. */
export function unusedIds(): () => bigint {
  let last = (BigInt(Date.now()) << 20n) + BigInt(randomInt(2 ** 20));
  return () => ++last;
}

/** An encoded ConnectRequest in which each send has an id: where it had none, the next one. */
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

// Encodes PresenceChanged once for all readers that get the same changes, and leaves out users that a reader may not see.
import { toUser } from "../auth/user-messages.ts";
import type { PresenceMessage } from "../client-manager.ts";
import { encodeEvent } from "./encoding.ts";

type Changes = Pick<PresenceMessage, "cameOnline" | "wentOffline">;

const encoded = new WeakMap<Changes, Uint8Array>();

export function encodePresenceChanged(changes: Changes): Uint8Array {
  let piece = encoded.get(changes);
  if (piece === undefined) {
    piece = encodeEvent({
      kind: {
        $case: "presenceChanged",
        value: {
          cameOnline: changes.cameOnline.map(toUser),
          wentOffline: changes.wentOffline.map(toUser),
        },
      },
    });
    encoded.set(changes, piece);
  }
  return piece;
}

/**
 * The changes without the users who block this reader. If no user does, this is the message itself, whose encoding is
 * shared.
 */
export function withoutHidden(message: PresenceMessage, readerId: number): Changes {
  const hidden = message.hidden.get(readerId);
  if (hidden === undefined) return message;
  return {
    cameOnline: message.cameOnline.filter(({ userId }) => !hidden.has(userId)),
    wentOffline: message.wentOffline.filter(({ userId }) => !hidden.has(userId)),
  };
}

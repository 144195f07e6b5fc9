// Encodes an unsent message as a Command, and refuses one that the server could only answer by ending the stream.
import { BroadcastRequest, SendMessageRequest } from "../../../gen/parley/chat/v1/chat_service.ts";
import type { Limits } from "../../../gen/parley/chat/v1/event.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import type { RpcError } from "../../../rpc/status/status.ts";
import { lengthDelimited } from "../../../rpc/wire/raw-fields.ts";
import { refusal } from "../model/errors.ts";
import type { UnsentMessage } from "../model/send-queue.ts";
import { wireTarget } from "../model/target.ts";

/** The longest user name or conversation id that is sent, characters. Valid names have at most 64 bytes. */
const MAX_NAME_LENGTH = 256;

/**
 * The refusal of a message that is too large for the server; undefined if it can be sent. If it were sent, the
 * server would end the stream, and the next attempt would send it again.
 */
export function checkSend(
  { content, target }: UnsentMessage,
  limits: Limits | undefined,
): RpcError | undefined {
  const maxBytes = limits?.maxContentBytes ?? 0;
  if (maxBytes > 0 && content.length > maxBytes) {
    const message = `The message is ${content.length} bytes long; this server accepts at most ${maxBytes}.`;
    return refusal(Reason.CONTENT_TOO_LARGE, message, "content");
  }
  const name =
    target.kind === "user" ? target.username : target.kind === "conversation" ? target.conversationId : "";
  if (name.length > MAX_NAME_LENGTH)
    return refusal(Reason.INVALID_FIELD, "The name of the target is too long.", "target");
  return undefined;
}

const sendMessageField = 2;
const broadcastField = 3;
const contentField = 15;

/** The encoded Command. The content is copied byte for byte, whichever version of the client queued it. */
export function encodeSend({ clientMessageId, target, content }: UnsentMessage): Uint8Array {
  const [field, head] =
    target.kind === "broadcast"
      ? [broadcastField, BroadcastRequest.encode({ clientMessageId, content: undefined })]
      : [
          sendMessageField,
          SendMessageRequest.encode({ clientMessageId, target: wireTarget(target), content: undefined }),
        ];
  return lengthDelimited(field, Buffer.concat([head.finish(), lengthDelimited(contentField, content)]));
}

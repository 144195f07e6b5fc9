// The rules of lines in a private chat: their content, their limits, and the checks before one is sent.
import { Reason } from "../../../gen/parley/peer/v1/peer_service.ts";
import { refusal } from "./refusals.ts";

/** The content of a line. "unknown": this program is too old for it. */
export type LineContent =
  | {
      readonly kind: "text";
      /** 1 to 32,768 bytes of UTF-8. */
      readonly text: string;
    }
  | { readonly kind: "unknown" };

export interface Line {
  readonly number: bigint;
  readonly time: Date | undefined;
  readonly content: LineContent;
}

export const conversationLimits = {
  /** The longest line, bytes of UTF-8. */
  lineBytes: 32 * 1024,
  signalsPerFrame: 100,
  /** The most own lines that the peer has not acknowledged. */
  unacknowledged: 1_000,
  unacknowledgedBytes: 1024 * 1024,
  /** The most signals of the peer that are read per second; further ones wait. */
  signalsPerSecond: 200,
  /** How long the exchange of goodbyes may take, ms. */
  goodbyeMs: 2_000,
} as const;

/** The line or the request cannot be sent now. Nothing was sent. */
export class NotSentError extends Error {
  override name = "NotSentError";
}

/** The size of a line, bytes. @throws NotSentError if the line is empty or too long */
export function bytesOfLine(text: string): number {
  const bytes = Buffer.byteLength(text);
  if (bytes === 0) throw new NotSentError("A line must not be empty.");
  if (bytes > conversationLimits.lineBytes) {
    throw new NotSentError(
      `The line is too long: it has ${bytes} bytes, and at most ${conversationLimits.lineBytes} are allowed.`,
    );
  }
  return bytes;
}

/** Checks the content and the time of a received line. @throws RpcError INVALID_FIELD */
export function checkReceivedLine(text: string | undefined, time: Date | undefined): void {
  if (text === "" || Buffer.byteLength(text ?? "") > conversationLimits.lineBytes) {
    throw refusal(Reason.INVALID_FIELD, "A line is empty or too long.");
  }
  // An invalid time would fail later, where it is shown, stored or printed.
  if (time !== undefined && !isTimestamp(time)) {
    throw refusal(Reason.INVALID_FIELD, "The time of a line is not valid.");
  }
}

/** The years 1 to 9999, as in google.protobuf.Timestamp. */
const firstTime = Date.parse("0001-01-01T00:00:00Z");
const lastTime = Date.parse("9999-12-31T23:59:59.999Z");

function isTimestamp(time: Date): boolean {
  return time.getTime() >= firstTime && time.getTime() <= lastTime;
}

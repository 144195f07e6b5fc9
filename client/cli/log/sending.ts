// Sends one message by calls alone, for send, broadcast and ask: text, id and patience as the command line says.

import { parseWait } from "../../../command-line/durations.ts";
import type { Flag } from "../../../command-line/flags.ts";
import { Ack } from "../../../gen/parley/chat/v1/event.ts";
import type { SendTarget } from "../../link/model/send-queue.ts";
import { sendOnce } from "../../link/sending/send-once.ts";
import type { SignedIn, SignInContext } from "../account/sign-in.ts";
import type { accountFlags } from "../command/account-flags.ts";
import type { Call } from "../command/command.ts";
import { usage } from "../process/exit.ts";
import { readText } from "../process/input.ts";
import type { Message } from "../process/output.ts";

const largestId = 2n ** 63n - 1n;

const id: Flag<bigint> = {
  value: "N",
  help: "Send under the id that an earlier try printed: it is stored once.",
  read: (given) => {
    const number = /^\d{1,19}$/.test(given) ? BigInt(given) : 0n;
    if (number < 1n || number > largestId)
      throw usage(`"${given}" is no id: use one that an earlier try printed.`);
    return number;
  },
};

const wait: Flag<number> = {
  value: "TIME",
  help: "How long to try to connect and to get an answer; else 10s.",
  read: (given) => {
    const ms = parseWait(given);
    if (ms === 0) throw usage("at least 1s is needed.");
    return ms;
  },
};

/** What is said of a broadcast that not everyone gets; nobody is named. */
export const WITHHELD = "Some people did not get it: they have blocked you.";

export const sendFlags = { id, wait } as const;

/** The words joined by spaces, or standard input for a lone "-". */
export async function messageText(
  call: Call<typeof accountFlags>,
  words: readonly string[],
): Promise<string> {
  return words.length === 1 && words[0] === "-" ? readText(call.environment.stdin) : words.join(" ");
}

export interface Sent {
  readonly clientMessageId: bigint;
  readonly ack: Ack;
}

/** @throws as sendOnce does */
export async function sendText(
  { account, profile }: SignedIn,
  { state }: SignInContext,
  { values }: Call<typeof accountFlags & typeof sendFlags>,
  target: SendTarget,
  text: string,
): Promise<Sent> {
  const clientMessageId = values.id ?? state.nextClientMessageId(profile.profileId);
  const patience = values.wait === undefined ? {} : { waitMs: values.wait };
  const ack = await sendOnce(account, { clientMessageId, target, text, ...patience });
  return { clientMessageId, ack };
}

export function ackMessage(ack: Ack): Message<Ack> {
  return { typeName: "parley.chat.v1.Ack", codec: Ack, value: ack };
}

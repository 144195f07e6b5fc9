// Sends one message by unary calls, for send, broadcast and ask, with the text, id and time of the command line.

import { parseWait } from "../../../command-line/durations.ts";
import type { Flag } from "../../../command-line/flags.ts";
import { Ack } from "../../../gen/parley/chat/v1/event.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import type { SendTarget } from "../../link/model/send-queue.ts";
import { sendOnce } from "../../link/sending/send-once.ts";
import type { Profile } from "../../state/profiles.ts";
import type { State } from "../../state/state.ts";
import { namingUser } from "../account/naming-user.ts";
import type { SignedIn, SignInContext } from "../account/sign-in.ts";
import type { accountFlags } from "../command/account-flags.ts";
import type { Call } from "../command/command.ts";
import { name } from "../command/show.ts";
import { CommandError, Exit, usage } from "../process/exit.ts";
import { readText } from "../process/input.ts";
import type { Message } from "../process/output.ts";
import { line, type Styled } from "../terminal/text/style.ts";

const largestId = 2n ** 63n - 1n;

const id: Flag<bigint> = {
  value: "N",
  help: "Send under the id of an earlier attempt, so that the message is stored once.",
  read: (given) => {
    const number = /^\d{1,19}$/.test(given) ? BigInt(given) : 0n;
    if (number < 1n || number > largestId)
      throw usage(`"${given}" is not an id. Use one that an earlier attempt printed.`);
    return number;
  },
};

const wait: Flag<number> = {
  value: "TIME",
  help: "How long to try to connect and to get the server's answer. Default: 10s.",
  read: (given) => {
    const ms = parseWait(given);
    if (ms === 0) throw usage("at least 1s is needed.");
    return ms;
  },
};

/** The notice about a broadcast that some users do not receive. It names no users. */
export const WITHHELD = "Some users did not receive it, because they have blocked you.";

/** The notice about a state folder that is a copy. */
export const COPIED =
  "This installation is a copy of another one, or was restored from a backup: the ids of its next messages were " +
  "used already. It uses other ids from now on, and nothing is lost.";

export const sendFlags = { id, wait } as const;

/** The words joined by spaces; for a single "-" the text of standard input. @throws CommandError if it is blank */
export async function messageText(
  call: Call<typeof accountFlags>,
  words: readonly string[],
): Promise<string> {
  const text =
    words.length === 1 && words[0] === "-" ? await readText(call.environment.stdin) : words.join(" ");
  // The chat ignores a blank line. A blank text is most likely an empty variable of a script.
  if (text.trim() === "")
    throw new CommandError(Exit.REFUSED, "Not sent: the text is blank. (CONTENT_EMPTY)");
  return text;
}

export interface Sent {
  readonly clientMessageId: bigint;
  readonly ack: Ack;
}

/** @throws CommandError if the target is the sender; otherwise as sendOnce does */
export async function sendText(
  { account, profile }: SignedIn,
  { state }: SignInContext,
  { values, output }: Call<typeof accountFlags & typeof sendFlags>,
  target: SendTarget,
  text: string,
): Promise<Sent> {
  const clientMessageId = values.id ?? state.nextClientMessageId(profile.profileId);
  const waiting = values.wait === undefined ? {} : { waitMs: values.wait };
  // With --id the message may have been sent before.
  const renumber = (): bigint | undefined => {
    if (values.id !== undefined) return undefined;
    output.notice(COPIED);
    return state.clientMessageIdBeyondCopies(profile.profileId);
  };
  try {
    const send = () => sendOnce(account, { clientMessageId, renumber, target, text, ...waiting });
    const ack = await (target.kind === "user" ? namingUser(account, target.username, send) : send());
    return { clientMessageId: ack.clientMessageId, ack };
  } catch (error) {
    if (error instanceof RpcError && error.reason === "RECIPIENT_IS_SELF") throw toOneself(state, profile);
    throw error;
  }
}

/** Scripts and people rely on the user who was used last, so the error says who that is. */
function toOneself(state: State, { profileId, username, serverKey }: Profile): CommandError {
  const isOther = (other: Profile): boolean => other.profileId !== profileId && other.session !== undefined;
  const other = state.profiles.list().find((one) => one.serverKey === serverKey && isOther(one));
  const as =
    other === undefined
      ? "as another user, add --as USER"
      : `as ${other.username}, add --as ${other.username}`;
  return new CommandError(
    Exit.REFUSED,
    `Not sent: you are logged in as ${username}, and a message needs another user. To send ${as}. (RECIPIENT_IS_SELF)`,
  );
}

/** "Sent as hans to yoda: number 3." */
export function sentLine({ profile }: SignedIn, to: Styled, { seq }: Ack): Styled {
  return line`Sent as ${name(profile.username)} to ${to}: number ${seq}.`;
}

export function ackMessage(ack: Ack): Message<Ack> {
  return { typeName: "parley.chat.v1.Ack", codec: Ack, value: ack };
}

// What a person is told of private chats, in whole sentences.
import { IntroductionOutcome } from "../../../../gen/parley/chat/v1/event.ts";
import { Ending } from "../../../../gen/parley/peer/v1/peer_service.ts";
import { RpcError } from "../../../../rpc/status/status.ts";
import { isConnectionLost } from "../../../link/model/errors.ts";
import type { OpenChatInfo, OpenElsewhere } from "../../../peer/chats/chat-locations.ts";
import { KeyProblemError } from "../../../peer/chats/context.ts";
import type {
  ChatEnded,
  ChatOpened,
  ChatRequested,
  RequestClosed,
  UndeliveredLines,
} from "../../../peer/chats/events.ts";
import type { KeyCheck, KeyProblem } from "../../../peer/keys/contacts.ts";
import type { OwnKeyStatus } from "../../../peer/keys/own-identity.ts";
import type { Verification } from "../../../peer/keys/verification.ts";
import type { Path } from "../../../peer/path/connect-peer.ts";
import type { PrivateSettings } from "../model/private-link.ts";
import { shortened } from "../model/shortened.ts";

/** What a path means for the two people. */
export const pathWords: Record<Path, string> = {
  direct: "straight from device to device",
  relayed: "through the server, which cannot read it",
};

/** How a command of that name is written: in the chat, or in a shell where the program is called so. */
function called(program: string | undefined, command: string): string {
  return program === undefined ? `/${command}` : `${program} ${command}`;
}

/** The question. */
export function askedWords({ username, keyCheck }: ChatRequested): string[] {
  return [`${username} asks for a private chat.`, ...problemWords(username, keyCheck)];
}

/** The ways to answer it, with what they mean. */
export function answerWords(username: string, mayBeDirect: boolean): string[] {
  const direct = [
    `/accept ${username}: yes, ${pathWords.direct}; ${username} will see your address.`,
    `/accept ${username} --relay: yes, ${pathWords.relayed}.`,
  ];
  const relayed = [`/accept ${username}: yes, ${pathWords.relayed}.`];
  return [
    ...(mayBeDirect ? direct : relayed),
    `/refuse ${username}: no. /accept ${username} --always: yes, and from now on.`,
  ];
}

/** Who asks is let in from now on, by that path. */
export function alwaysWords(username: string, path: "direct" | "relay"): string {
  const way = pathWords[path === "direct" ? "direct" : "relayed"];
  return `From now on ${username} is let in without being asked about, ${way}. /refuse ${username} takes that back.`;
}

/** That was taken back. `answer`: the setting, by which that one may be let in all the same. */
export function notAlwaysWords(username: string, answer: PrivateSettings["answer"]): string {
  const then = answer === "ask" ? "from now on you are asked" : `--private-answer ${answer} holds as before`;
  return `${username} is no longer let in always: ${then}.`;
}

export function openedWords({ username, path, keyCheck }: ChatOpened): string[] {
  return [
    `Private chat with ${username}: ${pathWords[path]}. /private ${username} opens it.`,
    ...keyWords({ username, keyCheck }),
  ];
}

/** What is to be said of the other's keys, if anything. `program`: as for verificationWords. */
export function keyWords(
  { username, keyCheck }: Pick<ChatOpened, "username" | "keyCheck">,
  program?: string,
): string[] {
  if (keyCheck.standing !== "new" || keyCheck.problem !== undefined)
    return problemWords(username, keyCheck, program);
  const verify = `${called(program, "verify")} ${username}`;
  return [`It is the first one on this device: ${verify} shows how to make sure that it is ${username}.`];
}

/** Where a chat is open that is not this program's. */
export function whereWords(elsewhere: OpenElsewhere): string {
  if (elsewhere.kind === "here") return "in another program on this device";
  const { deviceName } = elsewhere;
  return deviceName === "" ? "on another device of yours" : `on your device “${inOneLine(deviceName)}”`;
}

/** A changed or unsigned key is never silent. `program`: as for verificationWords. */
export function problemWords(username: string, { problem, stops }: KeyCheck, program?: string): string[] {
  const verify = `${called(program, "verify")} ${username}`;
  switch (problem) {
    case "changed":
      return [
        `WARNING: the identity key of ${username} is another one than before: a new installation, or somebody in ` +
          `between. ${verify} shows the code to compare.`,
        ...(stops
          ? [`No private chat begins before you confirm the code, or take it as it is: ${verify} --accept.`]
          : []),
      ];
    case "unsigned":
      return [
        `WARNING: the identity key of ${username} does not vouch for this device: it may be a new one that was not ` +
          "linked, or somebody else's.",
        ...(stops
          ? [
              `No private chat begins with it before ${username} links it, or you take it as it is: ${verify} --accept.`,
            ]
          : []),
      ];
    case undefined:
      return [];
  }
}

const outcomes: Partial<Record<IntroductionOutcome, string>> = {
  [IntroductionOutcome.ACCEPTED_ELSEWHERE]: "was accepted",
  [IntroductionOutcome.REFUSED_ELSEWHERE]: "was refused",
};

export function closedWords({ username, outcome, deviceName }: RequestClosed): string {
  const elsewhere = outcomes[outcome];
  if (elsewhere !== undefined) {
    const where = deviceName === "" ? "another device" : `your device “${inOneLine(deviceName)}”`;
    return `The private chat with ${username} ${elsewhere} on ${where}.`;
  }
  return outcome === IntroductionOutcome.UNANSWERED
    ? `${username} asked for a private chat, and got no answer.`
    : `${username} no longer asks for a private chat.`;
}

/** Why no chat came about. `program`: as for verificationWords. */
export function failedWords(username: string, error: Error, program?: string): string {
  if (error instanceof KeyProblemError) return keyProblemWords(error, program);
  const reason = error instanceof RpcError ? error.reason : "";
  switch (reason) {
    case "INTRODUCTION_REFUSED":
      return `${username} does not want a private chat now.`;
    case "INTRODUCTION_UNANSWERED":
      return `${username} did not answer.`;
    case "USER_OFFLINE":
      return `${username} is not online.`;
    case "BLOCKED_BY_RECIPIENT":
      return `${username} has blocked you.`;
    default: {
      const isLost = error instanceof RpcError && isConnectionLost(error);
      const why = isLost ? "the connection to the server was lost. Ask again." : inOneLine(error.message);
      return `No private chat with ${username}: ${why}`;
    }
  }
}

function keyProblemWords(
  { message, username, problem }: KeyProblemError,
  program: string | undefined,
): string {
  const verify = `${called(program, "verify")} ${username}`;
  return problem === "changed"
    ? `STOP: ${message} Ask ${username} in another way, and compare the codes: ${verify}. ` +
        `${verify} --accept goes on with the new key.`
    : `STOP: ${message} Ask ${username} in another way whether it is a new one, and to link it. ` +
        `${verify} --accept goes on with that device as it is.`;
}

/** A person accepted what was not as expected. */
export function acceptedWords(username: string, problem: KeyProblem): string {
  return problem === "changed"
    ? `The key of ${username} is accepted, and not verified.`
    : `The device of ${username} is accepted, though nobody vouches for it.`;
}

/** Words of a peer, or of the server: none of them is to look like a line of its own. */
function inOneLine(text: string): string {
  return shortened(text, 300);
}

const endings: Partial<Record<Ending, (name: string) => string>> = {
  [Ending.LOGGED_OUT]: (name) => `${name} has logged out: the private chat is over.`,
  [Ending.TIMED_OUT]: (name) =>
    `${name} was logged out after a time without a command: the private chat is over.`,
  [Ending.LEFT]: (name) => `${name} has left: the private chat is over.`,
  [Ending.FAILED]: (name) => `The program of ${name} cannot go on: the private chat is over.`,
};

/** The keys of an open chat are no longer as a person has confirmed them. */
function distrustWords(username: string, problem: KeyProblem, program: string | undefined): string {
  const verify = `${called(program, "verify")} ${username}`;
  return problem === "changed"
    ? `STOP: the private chat with ${username} went to another key than the one that you verified, so it is over. Ask ` +
        `${username} in another way, and compare the codes: ${verify}. ${verify} --accept takes that other key.`
    : `STOP: the private chat with ${username} went to a device for which the key that you verified does not vouch, so it ` +
        `is over. Ask ${username} in another way whether it is a new one, and to link it. ${verify} --accept takes that ` +
        "device as it is.";
}

/** What the open chat is not, beside a code that is shown; none where it goes to a device of that key. */
export function openChatWords(
  { username, peer }: OpenChatInfo,
  { identityKey }: Pick<Verification, "identityKey">,
): string[] {
  if (Buffer.compare(peer.identityKey, identityKey) !== 0)
    return [`WARNING: the private chat with ${username} that is open goes to another key than this code.`];
  return peer.signed
    ? []
    : [
        `WARNING: the private chat with ${username} that is open goes to a device for which this key does not vouch.`,
      ];
}

/** Why a chat is over. `program`: as for verificationWords. */
export function endedWords({ username, how }: ChatEnded, program?: string): string {
  if (how.kind === "keys") return distrustWords(username, how.problem, program);
  if (how.kind === "failed") {
    const { reason, message } = how.cause;
    if (reason === "CONNECTION_TAMPERED") {
      return `WARNING: somebody between you and ${username} changed what was sent, so the private chat was cut.`;
    }
    const why = reason === "" || reason === "PEER_GONE" ? "" : ` (${inOneLine(message)})`;
    return `The connection to ${username} is lost${why}: the private chat is over.`;
  }
  // Either end says that goodbye, whichever of the two was the first to have said all.
  if (how.ending === Ending.FINISHED) return `${username} has no more to say: the private chat is over.`;
  if (how.by === "me") return `The private chat with ${username} is over.`;
  return endings[how.ending]?.(username) ?? `${username} has ended the private chat.`;
}

/** What whoever leaves has said in vain. */
export function lostWords(lost: readonly UndeliveredLines[]): string[] {
  const told = (texts: readonly string[], username: string, one: string, several: string): string[] => {
    if (texts.length === 0) return [];
    const what = texts.length === 1 ? "1 private line" : `${texts.length} private lines`;
    return [`${what} to ${username} ${texts.length === 1 ? one : several}.`];
  };
  return lost.flatMap(({ username, queued, undelivered }) => [
    ...told(queued, username, "was not said", "were not said"),
    ...told(undelivered, username, "is not known to have arrived", "are not known to have arrived"),
  ]);
}

/** What to do with the code: a comparison can be confirmed only where the own half of it is sure. */
function comparisonWords(own: OwnKeyStatus, username: string, program: string | undefined): string {
  const how = `it with what ${username} sees, face to face or over a call`;
  // Nothing of the chat links a device: that is done in a shell.
  const link = `${program ?? "parley"} devices link`;
  switch (own) {
    case "unlinked":
      return (
        `This device is not linked to your first one, so ${username} is warned of it, and the code proves nothing yet. ` +
        `First: ${link}. Then compare ${how}.`
      );
    case "changed":
      return (
        "WARNING: the identity key in it is not the one that this device knows as yours: you made a new one, or somebody " +
        `is in between. First: ${link} on this device, and the code that it shows on your first one, tell which. Then compare ${how}.`
      );
    default:
      return `Compare ${how}. Equal: ${called(program, "verify")} ${username} --confirm`;
  }
}

/** The code, and what to do with it: in the chat, or in a shell where the program is called so. */
export function verificationWords(
  { user, code, standing, since, own }: Verification,
  program: string | undefined,
): string[] {
  const { username } = user;
  const groups = code.split(" ");
  const rows = [0, 4, 8].map((at) => `  ${groups.slice(at, at + 4).join("  ")}`);
  const known = since === undefined ? "" : ` since ${since.toISOString().slice(0, 10)}`;
  const words: Record<Verification["standing"], string> = {
    new: `Nothing was remembered of ${username} so far.`,
    known: `This key of ${username} is known here${known}; it is not verified.`,
    verified: `This key of ${username} is verified.`,
    changed: `WARNING: it is not the key of ${username} that is known here${known}.`,
  };
  return [`Your code with ${username}:`, ...rows, words[standing], comparisonWords(own, username, program)];
}

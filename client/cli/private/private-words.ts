// The sentences about private chats: requests, answers, the path, and how a chat ended.
import { IntroductionOutcome } from "../../../gen/parley/chat/v1/event.ts";
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { isConnectionLost } from "../../link/model/errors.ts";
import type { OpenElsewhere } from "../../peer/chats/chat-locations.ts";
import { KeyProblemError } from "../../peer/chats/context.ts";
import type {
  ChatEnded,
  ChatOpened,
  ChatRequested,
  RequestClosed,
  UndeliveredLines,
} from "../../peer/chats/events.ts";
import type { Path } from "../../peer/path/connect-peer.ts";
import { shortened } from "../terminal/text/shortened.ts";
import { distrustWords, keyProblemWords, keyWords, problemWords } from "./key-words.ts";
import type { PrivateSettings } from "./settings.ts";

/** What a path means for the two users. */
export const pathWords: Record<Path, string> = {
  direct: "directly from device to device",
  relayed: "through the server, which cannot read it",
};

export function requestWords({ username, keyCheck }: ChatRequested): string[] {
  return [`${username} asks for a private chat.`, ...problemWords(username, keyCheck)];
}

/** The commands that answer a request, and what each means. */
export function answerWords(username: string, mayBeDirect: boolean): string[] {
  const direct = [
    `/accept ${username}: accept, ${pathWords.direct}; ${username} will see your address.`,
    `/accept ${username} --relay: accept, ${pathWords.relayed}.`,
  ];
  const relayed = [`/accept ${username}: accept, ${pathWords.relayed}.`];
  return [
    ...(mayBeDirect ? direct : relayed),
    `/refuse ${username}: refuse. Add --always to /accept to accept later requests too.`,
  ];
}

/** Reports that requests by this user are accepted from now on, by that path. */
export function alwaysWords(username: string, path: "direct" | "relay"): string {
  const way = pathWords[path === "direct" ? "direct" : "relayed"];
  return `Requests by ${username} are now accepted without asking you, ${way}. To undo: /refuse ${username}`;
}

/** Reports that requests by this user are no longer always accepted. `answer`: the setting that decides instead. */
export function notAlwaysWords(username: string, answer: PrivateSettings["answer"]): string {
  const then = answer === "ask" ? "you are asked again" : `--private-answer ${answer} decides`;
  return `Requests by ${username} are no longer always accepted: ${then}.`;
}

export function openedWords({ username, path, keyCheck, holds }: ChatOpened): string[] {
  return [
    `Private chat with ${username}: ${pathWords[path]}. /private ${username} opens it.`,
    ...keyWords({ username, keyCheck, holds }),
  ];
}

/** Says where a chat outside this program is open. */
export function whereWords(elsewhere: OpenElsewhere): string {
  if (elsewhere.kind === "here") return "in another program on this device";
  const { deviceName } = elsewhere;
  return deviceName === "" ? "on another device of yours" : `on your device “${inOneLine(deviceName)}”`;
}

const outcomes: Partial<Record<IntroductionOutcome, string>> = {
  [IntroductionOutcome.ACCEPTED_ELSEWHERE]: "was accepted",
  [IntroductionOutcome.REFUSED_ELSEWHERE]: "was refused",
};

/** Why a request no longer needs an answer. */
export function closedWords({ username, outcome, deviceName }: RequestClosed): string {
  const elsewhere = outcomes[outcome];
  if (elsewhere !== undefined) {
    const where = deviceName === "" ? "another device" : `your device “${inOneLine(deviceName)}”`;
    return `The private chat with ${username} ${elsewhere} on ${where}.`;
  }
  return outcome === IntroductionOutcome.UNANSWERED
    ? `${username} asked for a private chat and got no answer.`
    : `${username} no longer asks for a private chat.`;
}

/** Why a chat did not start. `program`: as for verificationWords. */
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
    case "INTRODUCTION_NOT_FOUND":
    case "INTRODUCTION_INVALID":
      return `The request for a private chat with ${username} has ended. Ask again.`;
    default: {
      const isLost = error instanceof RpcError && isConnectionLost(error);
      const why = isLost ? "the connection to the server was lost. Ask again." : inOneLine(error.message);
      return `No private chat with ${username}: ${why}`;
    }
  }
}

const endings: Partial<Record<Ending, (name: string) => string>> = {
  [Ending.LOGGED_OUT]: (name) => `${name} has logged out.`,
  [Ending.TIMED_OUT]: (name) => `${name} was logged out for giving no command.`,
  [Ending.LEFT]: (name) => `${name} has left.`,
  [Ending.FAILED]: (name) => `The program of ${name} has failed.`,
};

/** Why a chat ended. `program`: as for verificationWords. */
export function endedWords({ username, how }: ChatEnded, program?: string): string {
  if (how.kind === "keys") return distrustWords(username, how.problem, program);
  if (how.kind === "failed") {
    const { reason, message } = how.cause;
    if (reason === "CONNECTION_TAMPERED") {
      return `WARNING: data between you and ${username} was changed on the way, so the private chat was ended.`;
    }
    const why = reason === "" || reason === "PEER_GONE" ? "" : ` (${inOneLine(message)})`;
    return `The connection to ${username} is lost${why}. The private chat has ended.`;
  }
  // Both peers receive FINISHED, whichever of them finished first.
  if (how.ending === Ending.FINISHED) return `${username} has finished. The private chat has ended.`;
  if (how.by === "me") return `The private chat with ${username} has ended.`;
  const why = endings[how.ending]?.(username);
  return why === undefined ? `${username} has ended the private chat.` : `${why} The private chat has ended.`;
}

/** Reports a line that --keep-private should keep, but whose kind this version does not know. */
export function notKeptWords(username: string): string {
  return `A line of ${username} is not kept: its content needs a newer version of parley.`;
}

/** How many lines of each chat were not sent, or may not have arrived, when the user left. */
export function lostWords(lost: readonly UndeliveredLines[]): string[] {
  const countOf = (count: number, username: string): string =>
    count === 1 ? `1 private line to ${username}` : `${count} private lines to ${username}`;
  return lost.flatMap(({ username, queued: { length: unsent }, undelivered: { length: unconfirmed } }) => [
    ...(unsent > 0 ? [`${countOf(unsent, username)} ${unsent === 1 ? "was" : "were"} not sent.`] : []),
    ...(unconfirmed > 0 ? [`${countOf(unconfirmed, username)} may not have arrived.`] : []),
  ]);
}

/** A text of a peer or the server, shortened to one line so that it cannot look like a line of the program. */
function inOneLine(text: string): string {
  return shortened(text, 300);
}

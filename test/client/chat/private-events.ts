// What private chats tell the chat, as a test says it.
import type { PrivateSettings } from "../../../client/cli/chat/private-link.ts";
import type { Judgement } from "../../../client/peer/contacts.ts";
import type {
  ChatAsked,
  ChatEnded,
  ChatFailed,
  ChatOpened,
  ChatWaiting,
  LineSaid,
} from "../../../client/peer/events.ts";
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { newKeys, peerKeys } from "./played-chats.ts";
import type { Stage } from "./stage.ts";

export const knownKeys: Judgement = { standing: "known", problem: undefined, stops: false };
export const changedKeys: Judgement = { standing: "known", problem: "changed", stops: false };

export function answering(answer: PrivateSettings["answer"], path: PrivateSettings["path"] = "auto") {
  return { answer, path, lines: undefined } satisfies PrivateSettings;
}

/** Somebody asks. */
export async function asks(stage: Stage, username: string, more: Partial<ChatAsked> = {}): Promise<void> {
  const { direct = true } = more;
  const peer = peerKeys(username);
  stage.privates.asked.push({ username, direct });
  await stage.chat.takePrivate({
    type: "asked",
    username,
    direct,
    peer,
    judgement: newKeys,
    timeoutMs: 60_000,
    ...more,
  });
}

/** The devices of somebody are being asked. */
export async function waits(stage: Stage, username: string, more: Partial<ChatWaiting> = {}): Promise<void> {
  stage.privates.asking.push(username);
  await stage.chat.takePrivate({ type: "waiting", username, devices: 1, timeoutMs: 60_000, ...more });
}

/** No chat comes about. */
export async function fails(stage: Stage, username: string, error: Error, held: string[] = []) {
  stage.privates.asking = stage.privates.asking.filter((name) => name !== username);
  await stage.chat.takePrivate({ type: "failed", username, error, held } satisfies ChatFailed);
}

export async function opens(stage: Stage, username: string, more: Partial<ChatOpened> = {}): Promise<void> {
  const { path = "direct" } = more;
  stage.privates.asking = stage.privates.asking.filter((name) => name !== username);
  stage.privates.open = [...stage.privates.open, { username, path }];
  await stage.chat.takePrivate({
    type: "opened",
    username,
    path,
    startedHere: false,
    peer: peerKeys(username),
    judgement: knownKeys,
    ...more,
  });
}

/** The other one says something, or the own line `number` is on its way. */
export async function says(stage: Stage, username: string, text: string, more: Partial<LineSaid> = {}) {
  await stage.chat.takePrivate({
    type: "line",
    username,
    mine: false,
    number: 1n,
    time: stage.clock.now(),
    content: { kind: "text", text },
    ...more,
  });
}

/** The other one ends it, unless said otherwise. */
export async function ends(stage: Stage, username: string, more: Partial<ChatEnded> = {}): Promise<void> {
  stage.privates.open = stage.privates.open.filter((open) => open.username !== username);
  const how = { kind: "goodbye", by: "them", ending: Ending.STOPPED } as const;
  await stage.chat.takePrivate({ type: "ended", username, how, undelivered: [], ...more });
}

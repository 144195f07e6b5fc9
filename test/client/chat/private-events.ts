// Events of private chats that a test sends to the chat.
import type { PrivateSettings } from "../../../client/cli/private/settings.ts";
import type {
  ChatEnded,
  ChatFailed,
  ChatOpened,
  ChatRequested,
  LineEvent,
  RequestWaiting,
} from "../../../client/peer/chats/events.ts";
import type { KeyCheck } from "../../../client/peer/keys/contacts.ts";
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { newKeys, peerKeys } from "./fake-private-chats.ts";
import type { Fixture } from "./fixture.ts";

export const knownKeys: KeyCheck = { standing: "known", problem: undefined, stops: false };
export const changedKeys: KeyCheck = { standing: "known", problem: "changed", stops: false };

export function answering(answer: PrivateSettings["answer"], path: PrivateSettings["path"] = "auto") {
  return { answer, path, lines: undefined } satisfies PrivateSettings;
}

/** A user asks for a private chat. */
export async function asks(
  fixture: Fixture,
  username: string,
  more: Partial<ChatRequested> = {},
): Promise<void> {
  const { direct = true } = more;
  const peer = peerKeys(username);
  fixture.privates.incomingRequests.push({ username, direct });
  await fixture.chat.takePrivate({
    type: "requested",
    username,
    direct,
    peer,
    keyCheck: newKeys,
    timeoutMs: 60_000,
    ...more,
  });
}

/** A request to a user is pending. */
export async function waits(
  fixture: Fixture,
  username: string,
  more: Partial<RequestWaiting> = {},
): Promise<void> {
  fixture.privates.outgoingRequests.push(username);
  await fixture.chat.takePrivate({ type: "waiting", username, devices: 1, timeoutMs: 60_000, ...more });
}

/** A request failed. */
export async function fails(fixture: Fixture, username: string, error: Error, queued: string[] = []) {
  fixture.privates.outgoingRequests = fixture.privates.outgoingRequests.filter((name) => name !== username);
  await fixture.chat.takePrivate({ type: "failed", username, error, queued } satisfies ChatFailed);
}

export async function opens(
  fixture: Fixture,
  username: string,
  more: Partial<ChatOpened> = {},
): Promise<void> {
  const { path = "direct" } = more;
  fixture.privates.outgoingRequests = fixture.privates.outgoingRequests.filter((name) => name !== username);
  fixture.privates.openChats = [...fixture.privates.openChats, { username, path }];
  await fixture.chat.takePrivate({
    type: "opened",
    username,
    path,
    outgoing: false,
    peer: peerKeys(username),
    keyCheck: knownKeys,
    holds: false,
    ...more,
  });
}

/** The peer sends a line, or with `mine` line `number` of this side is on its way. */
export async function says(fixture: Fixture, username: string, text: string, more: Partial<LineEvent> = {}) {
  await fixture.chat.takePrivate({
    type: "line",
    username,
    mine: false,
    number: 1n,
    time: fixture.now,
    content: { kind: "text", text },
    ...more,
  });
}

/** The chat ends; by the peer, unless `more` differs. */
export async function ends(fixture: Fixture, username: string, more: Partial<ChatEnded> = {}): Promise<void> {
  fixture.privates.openChats = fixture.privates.openChats.filter((open) => open.username !== username);
  const how = { kind: "goodbye", by: "them", ending: Ending.STOPPED } as const;
  await fixture.chat.takePrivate({ type: "ended", username, how, undelivered: [], notSent: [], ...more });
}

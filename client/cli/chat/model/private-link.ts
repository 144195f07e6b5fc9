// What the chat needs of the private chats, and the person's settings for them: PrivateChats does it all, and a test plays it.
import type { PrivateChats } from "../../../peer/private-chats.ts";
import type { PrivateLines } from "../../../state/private-lines.ts";
import type { DisplayItem } from "./display-item.ts";

export type PrivateLink = Pick<
  PrivateChats,
  | "events"
  | "handleLinkEvent"
  | "start"
  | "answer"
  | "send"
  | "whenWritable"
  | "markRead"
  | "setTyping"
  | "stop"
  | "acceptKeys"
  | "recheckKeys"
  | "register"
  | "openChats"
  | "outgoingRequests"
  | "incomingRequests"
  | "pendingPeers"
  | "findOpenElsewhere"
  | "contacts"
  | "names"
> & { readonly calls: Pick<PrivateChats["calls"], "getIdentity"> };

export interface PrivateSettings {
  /** What becomes of somebody who asks: a person is asked; yes to those whose keys are known; yes; no. */
  readonly answer: "ask" | "contacts" | "accept" | "refuse";
  /** Which paths are allowed; auto: a person decides. */
  readonly path: "direct" | "relay" | "auto";
  /** Where what is said is kept, if it is. */
  readonly lines: Pick<PrivateLines, "add" | "last"> | undefined;
  /** What was kept so far, in this run or an earlier one. */
  readonly kept?: Pick<PrivateLines, "last">;
}

/** The path that was asked for with one chat. */
export type PathChoice = "direct" | "relay";

/** What commands do in private chats. What cannot be done throws CommandError; a server that cannot be reached, ConnectError. */
export interface PrivateActions {
  start(username: string, path: PathChoice | undefined): Promise<void>;
  accept(username: string, path: PathChoice | undefined, always: boolean): Promise<void>;
  /** Says of one who is let in always that it is so, and by which path. */
  tellAlways(username: string): void;
  /** Says no; where that one does not ask, and is let in always, takes that back. */
  refuse(username: string): Promise<void>;
  say(username: string, text: string): Promise<void>;
  stop(username: string): Promise<void>;
  /** Whether a chat is open here, or about to be. */
  check(username: string): Promise<void>;
  verify(username: string, what: "show" | "confirm" | "accept"): Promise<void>;
  setTyping(username: string, typing: boolean): void;
  /** Open chats, and who asks or is asked. */
  list(): DisplayItem;
}

// The part of PrivateChats that the chat uses, the user's settings for private chats, and what commands can do in them.
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
  /** How a request is answered: ask the user; accept users whose keys are known and ask for others; accept; refuse. */
  readonly answer: "ask" | "contacts" | "accept" | "refuse";
  /** The allowed path; "auto": the user decides for each chat. */
  readonly path: "direct" | "relay" | "auto";
  /** Where lines of this run are kept; undefined: they are not kept. */
  readonly lines: Pick<PrivateLines, "add" | "last"> | undefined;
  /** Lines kept by this run or earlier ones. */
  readonly kept?: Pick<PrivateLines, "last">;
}

/** The path that the user chose for one chat. */
export type PathChoice = "direct" | "relay";

/** The actions of commands. All throw CommandError where the action is impossible, and ConnectError where the server cannot be reached. */
export interface PrivateActions {
  start(username: string, path: PathChoice | undefined): Promise<void>;
  accept(username: string, path: PathChoice | undefined, always: boolean): Promise<void>;
  /** Shows that requests by this user are always accepted, and by which path. */
  showAlways(username: string): void;
  /** Refuses the request of this user. Without a request: no longer always accepts requests by this user. */
  refuse(username: string): Promise<void>;
  send(username: string, text: string): Promise<void>;
  stop(username: string): Promise<void>;
  /** Resolves where a chat with this user is open or starting in this program. */
  check(username: string): Promise<void>;
  verify(username: string, what: "show" | "confirm" | "accept"): Promise<void>;
  setTyping(username: string, typing: boolean): void;
  /** Open chats and pending requests, in both directions. */
  list(): DisplayItem;
}

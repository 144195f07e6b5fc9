// The part of PrivateChats that the chat uses, and the actions of its commands.
import type { PrivateChats } from "../../../peer/private-chats.ts";
import type { PathChoice } from "../../private/settings.ts";

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

/**
 * The actions of commands. All throw CommandError if the action is impossible, and ConnectError if the server cannot be
 * reached.
 */
export interface PrivateActions {
  start(username: string, path: PathChoice | undefined): Promise<void>;
  accept(username: string, path: PathChoice | undefined, always: boolean): Promise<void>;
  /** Shows that requests by this user are always accepted, and by which path. */
  showAlways(username: string): void;
  /** Refuses this user's request. If there is none, requests by this user are no longer always accepted. */
  refuse(username: string): Promise<void>;
  send(username: string, text: string): Promise<void>;
  stop(username: string): Promise<void>;
  /** Resolves if a chat with this user is open or starting in this program. */
  check(username: string): Promise<void>;
  verify(username: string, what: "show" | "confirm" | "accept"): Promise<void>;
  setTyping(username: string, typing: boolean): void;
  /** Open chats and pending requests, in both directions. */
  list(): readonly string[];
}

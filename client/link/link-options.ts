// How a link is to be opened.
import type { ClientInfo } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Feature } from "../../gen/parley/chat/v1/event.ts";
import type { CursorStore } from "./model/cursors.ts";
import type { SendQueue } from "./model/send-queue.ts";
import type { BackoffOptions } from "./server/backoff.ts";
import type { Endpoint } from "./server/endpoint.ts";

/** What a link needs, and what it may be told. */
export interface LinkOptions {
  /** Shared with whoever calls the same server; it outlives the link. */
  readonly endpoint: Endpoint;
  /** The session's token. */
  readonly token: string;
  /** What program this is; each text at most 64 bytes. */
  readonly client?: ClientInfo;
  /** The server's data that cursors and device belong to, where known: another one's cursors are forgotten. */
  readonly serverId?: string;
  /** Run before each stream is opened, over a connection that stands: what it throws ends the attempt. */
  readonly beforeStream?: () => Promise<void>;
  /** The families of events wanted; left out or empty: all but INTRODUCTIONS. */
  readonly features?: readonly Feature[];
  /** `PrivateChats.processId`, where it has those; at most 32 bytes. */
  readonly processId?: string;
  /** How far this device has come; left out: nothing is remembered. */
  readonly cursors?: CursorStore;
  /** Where messages wait until they are acked; left out: in memory. */
  readonly queue?: SendQueue;
  /** Only listen, over Follow: nothing can be sent, and no marker moves unless asked for. */
  readonly receiveOnly?: boolean;
  /** Say "delivered" for what the reader of the events took; default: unless receiveOnly. */
  readonly deliveredMarkers?: boolean;
  /** False for a program that only sends: events are let go as if someone had read them. */
  readonly readEvents?: boolean;
  /** A message unsent for longer waits for `release`, ms; default an hour. */
  readonly holdBackAfterMs?: number;
  /** How long to wait before coming back; default: up to half a second first, up to half a minute in the end. */
  readonly backoff?: BackoffOptions;
  /** Events that wait for the reader before the link stops reading; default 1,000. */
  readonly maxBufferedEvents?: number;
  /** How long the server may take to answer Hello, ms; default 15 s. */
  readonly welcomeTimeoutMs?: number;
}

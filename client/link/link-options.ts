// The options of a link.
import type { ClientInfo } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Feature } from "../../gen/parley/chat/v1/event.ts";
import type { CursorStore } from "./model/cursors.ts";
import type { SendQueue } from "./model/send-queue.ts";
import type { BackoffOptions } from "./server/backoff.ts";
import type { Endpoint } from "./server/endpoint.ts";

/** The options of `openLink`. */
export interface LinkOptions {
  /** The server. Other callers may share the endpoint; the link does not dispose of it. */
  readonly endpoint: Endpoint;
  /** The session's token. */
  readonly token: string;
  /** Describes the program to the server; each text has at most 64 bytes. */
  readonly client?: ClientInfo;
  /**
   * The id of the server's data to which the cursors and the device belong, if known. If the server reports another
   * id, the link forgets the cursors.
   */
  readonly serverId?: string;
  /**
   * Called when a stream is open at a server with another id than `serverId`, before the first event. Store the id: a
   * link that is opened with the earlier one forgets its cursors again.
   */
  readonly onServerChanged?: (serverId: string) => void;
  /**
   * Runs before each stream is opened, when the connection is ready. An error that it throws ends the attempt.
   * `serverId`: the id that the server named last, or that of the options.
   */
  readonly beforeStream?: (serverId: string | undefined) => Promise<void>;
  /** The kinds of events to receive. If absent or empty: all but INTRODUCTIONS. */
  readonly features?: readonly Feature[];
  /**
   * Distinguishes this program from others of the same session; at most 32 bytes. With private chats, pass
   * `PrivateChats.processId`.
   */
  readonly processId?: string;
  /** Stores the positions of this device. Default: they are kept in memory. */
  readonly cursors?: CursorStore;
  /** Stores messages until the server has acked them. Default: they are kept in memory. */
  readonly queue?: SendQueue;
  /**
   * Use Follow, which only receives: the link cannot send messages, and sets markers only for `deliveredMarkers` or
   * `markRead`.
   */
  readonly receiveOnly?: boolean;
  /** Mark entries as delivered when the reader of the events has taken them. Default: true unless `receiveOnly`. */
  readonly deliveredMarkers?: boolean;
  /** False for a program that only sends: events are dropped, and count as taken. */
  readonly readEvents?: boolean;
  /** A message that stays unsent for longer than this is held back until `release`, ms; default one hour. */
  readonly holdBackAfterMs?: number;
  /** The delay between attempts to connect. Default: random, up to 0.5 s at first and up to 30 s later. */
  readonly backoff?: BackoffOptions;
  /** The link stops reading from the server while this many events wait for the reader; default 1,000. */
  readonly maxBufferedEvents?: number;
  /** How long the server may take to answer Hello, ms; default 15 s. */
  readonly welcomeTimeoutMs?: number;
}

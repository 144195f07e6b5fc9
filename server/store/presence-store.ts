// What every store promises for presence: the streams by which users are online, and the intervals of time and of
// broadcast seq during which each user was online.
//
// A user has an open interval exactly while the store has a stream of the user. Each operation that adds or removes
// streams opens and closes the interval in the same transaction.
import type { UserRow } from "./account-store.ts";

export interface PresenceRow {
  readonly user: UserRow;
  readonly isBot: boolean;
  readonly online: boolean;
  /** When the user was last online; the present time for a user who is online. */
  readonly lastOnlineTime: number;
}

/** A stream of a program, on the node that holds the lease of this epoch. */
export interface OnlineStream {
  readonly epoch: number;
  /** Distinguishes the streams of the epoch. The node chooses it. */
  readonly streamId: number;
  readonly userId: number;
  readonly sessionId: number;
  readonly processId: string;
}

export interface MovedStream extends OnlineStream {
  readonly movesFrom: number;
  readonly isLost: boolean;
}

/** A user came online or went offline, or the user has blocked or unblocked a reader, whom that concerns. */
export interface PresenceChange {
  /** Rises with each change. A newer change of the same user for the same readers replaces an older one. */
  readonly number: number;
  readonly user: UserRow;
  /** The only user whom the change concerns; undefined for everyone. */
  readonly readerId: number | undefined;
  /** Whether the user is online now. */
  readonly online: boolean;
  /** Of the users whom the change concerns, those whom the user blocks now. To them the user is offline. */
  readonly blocked: readonly number[];
}

/** The most streams that a session may have, and the most sessions of a user that may be online at the same time. */
export interface MostOnline {
  readonly streams: number;
  readonly sessions: number;
}

export type OpenResult =
  /** `came`: whether the user was offline before. `broadcastHead`: the head of the broadcast conversation. */
  | { status: "online"; came: boolean; broadcastHead: number }
  | { status: "too-many-streams" | "too-many-sessions" }
  /** The lease of this epoch is lost. */
  | { status: "no-lease" };

export interface PresenceStore {
  /**
   * Adds a stream, and removes the lost streams of its program on all nodes. If the user was offline, opens an interval
   * at this time and at the next broadcast seq. Lost streams do not count as streams of their session, but their session
   * is online. Streams of nodes whose lease is over count as neither.
   */
  open(stream: OnlineStream, time: number, most: MostOnline): Promise<OpenResult>;
  /**
   * Adds streams under the new epoch of their node, which has lost its lease, and removes them from the earlier one.
   * Resolves with whether a user was offline; undefined, without effect, if the new lease is lost, too.
   */
  move(streams: readonly MovedStream[], time: number): Promise<boolean | undefined>;
  /** Records that the connection of the stream was lost, and that its program may come back. */
  lose(stream: OnlineStream): Promise<void>;
  /**
   * Removes the stream. If it is the last one of its user, closes the user's interval at this time and at the broadcast
   * seq `to`, which is the broadcast head unless it is given. Resolves with whether the user is offline now. To repeat
   * it has no further effect.
   */
  close(stream: OnlineStream, time: number, to?: number): Promise<boolean>;
  /**
   * Removes the lost streams of a program of the user on all nodes, and its streams of nodes whose lease is over, as
   * `close` does. Resolves with whether the user is offline now.
   */
  leave(userId: number, sessionId: number, processId: string, time: number): Promise<boolean>;
  /**
   * Removes streams of nodes whose lease is over and was good for the last time at least `graceMs` ago: at most `limit`
   * of them, and the leases that have none left. The lease of this epoch stays. The intervals of users without another
   * stream end at that last time, and at the broadcast head. Resolves with whether there is such a user.
   */
  sweep(epoch: number, time: number, graceMs: number, limit: number): Promise<boolean>;
  /** The earliest time at which `sweep` will find a lease other than that of this epoch; undefined if there is none. */
  nextSweep(epoch: number, graceMs: number): Promise<number | undefined>;
  /** The changes with a number above `after`, in ascending order: at most `limit`. All are of one state of the data. */
  changes(after: number, limit: number): Promise<PresenceChange[]>;
  /** The number of the newest change; 0 if there is none. */
  lastChange(): Promise<number>;
  /** How many sessions of the user are online on the node of this epoch, and on nodes whose lease is not over. */
  onlineSessions(epoch: number, userId: number, time: number): Promise<number>;
  /** Returns those of the sessions that have an open stream on a node other than that of this epoch, whose lease is not over. */
  connectedElsewhere(epoch: number, sessionIds: readonly number[], time: number): Promise<number[]>;
  /**
   * The users with a name above `afterName` and an interval that is open or ended at or after `since`, by name in code
   * point order. The user `askingId`, users who block that user, and removed users are left out.
   */
  list(
    since: number,
    now: number,
    askingId: number,
    afterName: string,
    limit: number,
  ): Promise<PresenceRow[]>;
  /**
   * The presence of a user as `list` tells it to the user `askingId`; undefined if it is not told, or if the user was
   * never online.
   */
  of(userId: number, now: number, askingId: number): Promise<PresenceRow | undefined>;
}

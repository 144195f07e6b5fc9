// What every store promises for users, devices, sessions, invites, failed log-ins and the record of log-ins. The
// promises for all operations are in store.ts.
import type { Administering, BotSession } from "./admin-store.ts";
import type { Attempt, LockTerms, LogInFailures } from "./lock-terms.ts";

// ---- log-ins: the count of failures, and the record

export type LogInOutcome =
  | "logged-in"
  | "wrong-password"
  | "locked"
  | "refused-locked"
  | "too-many-sessions"
  | "disabled"
  | "password-reset"
  | "device-invalid";

export interface NewLogIn {
  /** The user's name or, if there is no such user, what the record shows of the name. */
  readonly username: string;
  readonly userId: number | undefined;
  readonly deviceId: number | undefined;
  readonly client: ClientDescription;
  readonly address: string;
  /** The part of the address by which refusals are counted together. */
  readonly network: string;
  readonly outcome: LogInOutcome;
  readonly time: number;
}

export interface LogInRow extends Omit<NewLogIn, "userId" | "network"> {
  readonly logInId: number;
  /** How many refusals the row represents, at least 1; `time` is the time of the last one. */
  readonly count: number;
  readonly firstTime: number;
}

export interface LogInStore {
  failures(key: string): Promise<LogInFailures | undefined>;
  /**
   * Counts an attempt whose password was checked, and tells its outcome, in one transaction: an attempt that finds a
   * lock, set by another attempt meanwhile, is `locked` whatever its password was. So attempts on any nodes have the
   * outcomes that they would have one after the other. A right password clears the failures. At most 200,000 keys are
   * kept. Further keys replace those that were never locked, the least recently changed first, then those whose lock
   * ended or ends first.
   */
  settleAttempt(key: string, isRight: boolean, terms: LockTerms, time: number): Promise<Attempt>;
  /**
   * Adds a row. A refusal replaces an earlier row of the same name, network, outcome and device, and continues its
   * count, unless the user has logged in since or that row began more than a day ago. The store keeps the newest rows:
   * for each user, 1,000 of log-ins with the right password and 1,000 others; for names without a user, 100 from each
   * network and 10,000 in all. The work does not depend on whether there is such a user.
   */
  record(logIn: NewLogIn): Promise<void>;
  /** The rows of one user, or of everyone, with a row id below `beforeId`, in descending order of row id. */
  listLogIns(userId: number | "everyone", beforeId: number, limit: number): Promise<LogInRow[]>;
}

// ---- users, devices, sessions, invites

export interface UserRow {
  readonly userId: number;
  readonly username: string;
}

export interface UserWithPassword extends UserRow {
  /** The hash of the password as a PHC string. */
  readonly passwordHash: string;
}

export interface NewUser {
  readonly username: string;
  /** A text that is equal for names that look alike; see server/auth/username.ts. */
  readonly skeleton: string;
  readonly passwordHash: string;
  readonly time: number;
  /** SHA-256 of the invite to use; undefined if none is needed. */
  readonly inviteHash?: Uint8Array | undefined;
  /** Whether to refuse a name whose skeleton another user has: true for sign-up, false for an import. */
  readonly refuseLookAlike: boolean;
  /** For a bot: its only session. */
  readonly bot?: BotSession | undefined;
}

export type NewUserResult =
  | { status: "added"; user: UserRow }
  | { status: "name-taken" }
  | { status: "look-alike" }
  /** The invite is unknown, used up or expired. It is checked before the name. */
  | { status: "invite-invalid" }
  /** The user who adds is no longer an administrator, or is disabled. */
  | { status: "not-administrator" };

export interface ClientDescription {
  readonly name: string;
  readonly version: string;
  readonly deviceName: string;
}

export interface PasswordChange {
  readonly from: string;
  readonly to: string;
  readonly keepSessionId?: number | undefined;
}

export interface NewSession {
  readonly userId: number;
  /** The stored hash that the password was verified against. */
  readonly passwordHash: string;
  /** The user's device, to be proved by `deviceSecretHash`. If undefined, a new device is created with that hash. */
  readonly deviceId: number | undefined;
  /** SHA-256 of the device's secret. */
  readonly deviceSecretHash: Uint8Array;
  /** SHA-256 of the token. */
  readonly tokenHash: Uint8Array;
  readonly client: ClientDescription;
  /** The client's IP address, without port. */
  readonly address: string;
  readonly time: number;
  readonly expireTime: number;
  /** Refuses the session if so many sessions of the user are online already; undefined: no bound. */
  readonly mostOnline?: OnlineBound | undefined;
}

/** A bound of the sessions that are online on the node of this epoch, and on nodes whose lease is not over. */
export interface OnlineBound {
  readonly epoch: number;
  readonly sessions: number;
}

export type NewSessionResult =
  | { status: "started"; sessionId: number; deviceId: number }
  /** The user has no such device, or the device has a different secret. */
  | { status: "device-invalid" }
  /** The user's password changed after it was verified, or the user was removed. */
  | { status: "password-changed" }
  /** The user is disabled. */
  | { status: "disabled" }
  /** So many sessions of the user are online that one more may not start. */
  | { status: "too-many-sessions" };

export interface SessionRow {
  readonly sessionId: number;
  readonly user: UserRow;
  readonly isBot: boolean;
  readonly deviceId: number;
  readonly client: ClientDescription;
  readonly address: string;
  readonly createTime: number;
  readonly lastUsedTime: number;
  readonly expireTime: number;
}

/** A session as the idle time-out sees it. */
export interface LiveSession {
  readonly sessionId: number;
  readonly userId: number;
  /** When it started, or the highest time that was reported for it. */
  readonly activeTime: number;
}

export type IdleSessionResult =
  | { status: "ended" }
  /** A later command was reported, at this time. */
  | { status: "active"; activeTime: number }
  /** There is no such session any more. */
  | { status: "gone" };

export interface EndedSession {
  readonly sessionId: number;
  /** "timed-out": by endIdleSession, in the last 10 minutes. "ended": otherwise. */
  readonly why: "ended" | "timed-out";
}

export interface DeviceRow {
  readonly deviceId: number;
  /** As given at the newest log-in. */
  readonly name: string;
  readonly createTime: number;
  /** Of the unexpired session that was used last; undefined if there is none. */
  readonly lastUsedTime: number | undefined;
  /** The number of unexpired sessions. */
  readonly sessions: number;
  readonly hasCertificate: boolean;
}

/**
 * A removed user keeps the id and the name, since entries refer to them, and neither is reused. Operations find a
 * removed user only where they say so.
 */
export interface AccountStore {
  userByName(username: string): Promise<UserWithPassword | undefined>;
  userById(userId: number): Promise<UserRow | undefined>;
  /** The removed user who had this name. */
  removedUser(username: string): Promise<UserRow | undefined>;
  /** The users with these ids, removed users included, in any order. Unknown ids are left out. */
  usersById(userIds: readonly number[]): Promise<UserRow[]>;
  /** The users with a name above `afterName`, by name in code point order. */
  listUsers(afterName: string, limit: number): Promise<UserRow[]>;
  /**
   * The users whose names begin with the text, apart from differences in case, width and the encoding of accents. They
   * are in the order of the names without these differences, and begin behind the name `afterName`. The user
   * `askingId` is left out.
   */
  searchUsers(prefix: string, askingId: number, afterName: string, limit: number): Promise<UserRow[]>;
  /** What `addUser` would answer now. It stores nothing. */
  checkNewUser(user: Omit<NewUser, "passwordHash">): Promise<NewUserResult["status"]>;
  /** @param by adds the change to the record of administration; likewise below */
  addUser(user: NewUser, by?: Administering): Promise<NewUserResult>;
  /** Adds the users whose names were never used, in one transaction. Returns the names that were added. */
  importUsers(users: readonly Omit<NewUser, "inviteHash" | "refuseLookAlike">[]): Promise<string[]>;
  /** Returns those of the names that a user has or, before being removed, had. */
  knownNames(usernames: readonly string[]): Promise<string[]>;
  /**
   * Sets the password of a user whose hash is still `change.from`. If `change.keepSessionId` is given, the same
   * transaction ends all other sessions of the user, removes a password reset, and makes all devices unknown except that
   * of the session.
   * @returns the ids of the sessions that ended; undefined if the hash has changed or the session to keep has ended, and
   * then nothing is stored
   */
  setPassword(userId: number, change: PasswordChange): Promise<number[] | undefined>;
  /** Makes the user an administrator or an ordinary user. Returns false if there is no such user. */
  setAdministrator(username: string, isAdministrator: boolean, by?: Administering): Promise<boolean>;
  isAdministrator(userId: number): Promise<boolean>;
  /** The administrators' names, in code point order. */
  administrators(): Promise<string[]>;
  /**
   * Whether the user has a known device with this id and secret. A device becomes unknown when the password is changed
   * elsewhere, until the next log-in on it.
   */
  hasDevice(userId: number, deviceId: number, secretHash: Uint8Array): Promise<boolean>;
  /** Removes the user with all sessions and devices. Returns false if there is no such user. */
  removeUser(username: string, by?: Administering): Promise<boolean>;
  /**
   * Removes the user like removeUser, if the hash of the password is still this one and the user still has the session.
   * Returns false otherwise.
   */
  deleteAccount(userId: number, sessionId: number, passwordHash: string): Promise<boolean>;
  /** The user's devices with a device id below `beforeId`, in descending order of device id. */
  listUserDevices(userId: number, beforeId: number, limit: number, now: number): Promise<DeviceRow[]>;
  /**
   * Removes the device with its certificate and its sessions.
   * @returns the ids of the sessions that ended; undefined if it is not a device of this user
   */
  removeDevice(userId: number, deviceId: number): Promise<number[] | undefined>;
  /**
   * Starts a session. Also removes some devices, of any user, that have no valid session and were not used for 400 days;
   * each log-in removes more of them than it adds.
   */
  startSession(session: NewSession): Promise<NewSessionResult>;
  /** The session of this token; undefined if there is none, it has expired, or the user is disabled. */
  sessionByToken(tokenHash: Uint8Array, now: number): Promise<SessionRow | undefined>;
  /**
   * Records that the session was used. The expiry of a bot's session stays. Does nothing if the session has ended.
   */
  touchSession(sessionId: number, lastUsedTime: number, expireTime: number): Promise<void>;
  /** The user's unexpired sessions with a session id below `beforeId`, in descending order of session id. */
  listSessions(userId: number, beforeId: number, limit: number, now: number): Promise<SessionRow[]>;
  /** Ends the session. Returns false if it is not a session of this user. */
  endSession(userId: number, sessionId: number): Promise<boolean>;
  /** Returns those of the sessions that do not exist any more, or have expired. */
  endedSessions(sessionIds: readonly number[], now: number): Promise<EndedSession[]>;
  /** The unexpired sessions of all users except bots, with a session id above `afterId`, in ascending order of session id. */
  liveSessions(afterId: number, limit: number, now: number): Promise<LiveSession[]>;
  /** Records that these sessions had commands at these times. An earlier time than a recorded one changes nothing. */
  reportActivity(times: readonly (readonly [sessionId: number, time: number])[]): Promise<void>;
  /**
   * Ends the session, unless a command was reported that is later than `activeTime`. Then the reports have been made by
   * another node.
   */
  endIdleSession(
    userId: number,
    sessionId: number,
    activeTime: number,
    now: number,
  ): Promise<IdleSessionResult>;
  /** Adds an invite, and returns its id (see InviteRow). Rejects if an invite with this hash exists. */
  addInvite(
    hash: Uint8Array,
    uses: number,
    expireTime: number,
    time: number,
    by?: Administering,
  ): Promise<string>;
}

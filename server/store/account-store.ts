// What every store promises of users, devices, sessions and invites, of failed log-ins, and of the record of log-ins. The
// general promises stand in store.ts.

// ---- log-ins: the count of failures, and the record

/** Failures in a row of whoever a key stands for, and until when log-ins are locked for it (0: they are not). */
export interface LogInFailures {
  readonly count: number;
  readonly lockedUntil: number;
}

export type LogInOutcome =
  | "logged-in"
  | "wrong-password"
  | "locked"
  | "refused-locked"
  | "too-many-sessions"
  | "device-invalid";

export interface NewLogIn {
  /** As given, which may be nobody's. */
  readonly username: string;
  readonly userId: number | undefined;
  readonly deviceId: number | undefined;
  readonly client: ClientDescription;
  readonly address: string;
  readonly outcome: LogInOutcome;
  readonly time: number;
}

export interface LogInRow extends Omit<NewLogIn, "userId"> {
  readonly logInId: number;
  /** How many equal refusals in a row it stands for, at least 1; `time` is the last one's. */
  readonly count: number;
  readonly firstTime: number;
}

export interface LogInStore {
  failures(key: string): Promise<LogInFailures | undefined>;
  /** Remembers them. Beyond 50,000 keys the ones that are not locked go first, the longest unchanged of them. */
  saveFailures(key: string, failures: LogInFailures, time: number): Promise<void>;
  clearFailures(key: string): Promise<void>;
  /**
   * Adds to the record, or to the count of the newest row of that name where that is the same refusal again. Of each
   * user the newest 1,000 rows are kept, of nobody's names the newest 10,000 together.
   */
  record(logIn: NewLogIn): Promise<void>;
  /** Rows with id below `beforeId`, by falling id: a user's, or everyone's and nobody's. */
  listLogIns(userId: number | "everyone", beforeId: number, limit: number): Promise<LogInRow[]>;
}

// ---- users, devices, sessions, invites

export interface UserRow {
  readonly userId: number;
  readonly username: string;
}

export interface UserWithPassword extends UserRow {
  /** The PHC string of the password's hash. */
  readonly passwordHash: string;
}

export interface NewUser {
  readonly username: string;
  /** What look-alike names share; see server/auth/username.ts. */
  readonly skeleton: string;
  readonly passwordHash: string;
  readonly time: number;
  /** SHA-256 of the invite to use up; undefined where none is needed. */
  readonly inviteHash?: Uint8Array | undefined;
  /** Refuse a name whose skeleton another user has (sign-up does, an import does not). */
  readonly refuseLookAlike: boolean;
}

export type NewUserResult =
  | { status: "added"; user: UserRow }
  | { status: "name-taken" }
  | { status: "look-alike" }
  /** The invite is unknown, used up or expired. Told before anything about the name. */
  | { status: "invite-invalid" };

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
  /** What the password was verified against. */
  readonly passwordHash: string;
  /** A device of this user that proves itself by its secret's SHA-256, or undefined: make one with this hash. */
  readonly deviceId: number | undefined;
  readonly deviceSecretHash: Uint8Array;
  /** SHA-256 of the token. */
  readonly tokenHash: Uint8Array;
  readonly client: ClientDescription;
  /** Without port. */
  readonly address: string;
  readonly time: number;
  readonly expireTime: number;
}

export type NewSessionResult =
  | { status: "started"; sessionId: number; deviceId: number }
  /** No such device of this user, or another secret. */
  | { status: "device-invalid" }
  /** The user's password is another by now, or the user is removed. */
  | { status: "password-changed" };

export interface SessionRow {
  readonly sessionId: number;
  readonly user: UserRow;
  readonly deviceId: number;
  readonly client: ClientDescription;
  readonly address: string;
  readonly createTime: number;
  readonly lastUsedTime: number;
  readonly expireTime: number;
}

/** A removed user keeps id and name (entries name them, both are never given out again) and is found by neither. */
export interface AccountStore {
  userByName(username: string): Promise<UserWithPassword | undefined>;
  /** Names for ids, removed users included, in any order; unknown ids are left out. */
  usersById(userIds: readonly number[]): Promise<UserRow[]>;
  /** Users by name in code point order, above `afterName`. */
  listUsers(afterName: string, limit: number): Promise<UserRow[]>;
  addUser(user: NewUser): Promise<NewUserResult>;
  /** Adds those whose names never existed; answers the names added. One transaction. */
  importUsers(users: readonly Omit<NewUser, "inviteHash" | "refuseLookAlike">[]): Promise<string[]>;
  /** Which of these names are, or were, users. */
  knownNames(usernames: readonly string[]): Promise<string[]>;
  /**
   * Sets the password of a user whose hash is still `change.from`, and in the same transaction ends the user's sessions
   * other than `change.keepSessionId`, if that is given.
   * @returns the sessions ended; undefined where the hash is another by now, and then nothing changed
   */
  setPassword(userId: number, change: PasswordChange): Promise<number[] | undefined>;
  /** Makes the user an administrator, or one no more; false where there is no such user. */
  setAdministrator(username: string, isAdministrator: boolean): Promise<boolean>;
  isAdministrator(userId: number): Promise<boolean>;
  /** The administrators' names, in code point order. */
  administrators(): Promise<string[]>;
  /** Whether the user has a device of that id and secret. */
  hasDevice(userId: number, deviceId: number, secretHash: Uint8Array): Promise<boolean>;
  /** Removes the user with sessions and devices; false where there is none. */
  removeUser(username: string): Promise<boolean>;
  startSession(session: NewSession): Promise<NewSessionResult>;
  /** The session of a token that has not expired. */
  sessionByToken(tokenHash: Uint8Array, now: number): Promise<SessionRow | undefined>;
  touchSession(sessionId: number, lastUsedTime: number, expireTime: number): Promise<void>;
  /** The user's unexpired sessions with id below `beforeId`, by falling id. */
  listSessions(userId: number, beforeId: number, limit: number, now: number): Promise<SessionRow[]>;
  /** Ends the session if it is that user's; false where it is not. */
  endSession(userId: number, sessionId: number): Promise<boolean>;
  /** Those of the given sessions that still exist and have not expired. */
  validSessions(sessionIds: readonly number[], now: number): Promise<number[]>;
  /** Sessions with id above `afterId` that have not expired, by rising id. */
  liveSessions(afterId: number, limit: number, now: number): Promise<{ sessionId: number; userId: number }[]>;
  addInvite(hash: Uint8Array, uses: number, expireTime: number, time: number): Promise<void>;
}

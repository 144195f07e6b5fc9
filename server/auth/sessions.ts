// Who calls: log-ins, tokens, and their end. What a token stands for is remembered until the store or the bus says
// otherwise, so that a revocation is seen at once here and a call costs no read.
import type { DeviceKey, Grant } from "../../gen/parley/chat/v1/auth_service.ts";
import type { ClientInfo } from "../../gen/parley/chat/v1/chat_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { type Clock, systemClock, type Timer } from "../../time/clock.ts";
import type { Bus, SessionEndedMessage } from "../bus/bus.ts";
import type { ClientManager } from "../client-manager.ts";
import { formatId, parseId } from "../ids.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { Refusal } from "../reasons.ts";
import type { AccountStore, ClientDescription, SessionRow, UserRow } from "../store/store.ts";
import { IdleTimeout } from "./idle-timeout.ts";
import type { Passwords } from "./passwords.ts";
import { TokenBucket } from "./token-bucket.ts";
import { hashSecret, newSecret } from "./tokens.ts";
import { toUser } from "./user-messages.ts";
import { enforceUsername, misleading, skeleton } from "./username.ts";

export type SignUpMode = "closed" | "invite" | "open";

export interface SessionsOptions {
  readonly accounts: AccountStore;
  readonly passwords: Passwords;
  readonly bus: Bus;
  readonly manager: ClientManager;
  readonly serverId: string;
  readonly signUp: SignUpMode;
  readonly sessionLifetimeMs: number;
  /** A session without a command for so long ends; undefined: it does not. */
  readonly idleTimeoutMs: number | undefined;
  /** Commands and calls that one session may make, a second. */
  readonly callRate: number;
  readonly log: Log;
  readonly clock?: Clock | undefined;
}

/** A session that may act, and how much it may still ask for. */
export interface ActiveSession {
  readonly row: SessionRow;
  readonly bucket: TokenBucket;
  /** A person gave a valid command: the time-out begins anew. */
  readonly reportActivity: () => void;
}

const TOUCH_EVERY_MS = 60 * 60_000;
const SWEEP_EVERY_MS = 60_000;

export class Sessions implements Disposable {
  readonly #options: SessionsOptions;
  readonly #clock: Clock;
  readonly #active = new Map<string, ActiveSession>();
  readonly #buckets = new Map<number, TokenBucket>();
  /** When each session was last written as used. */
  readonly #touched = new Map<number, number>();
  /** Counts what may have made a read of the store stale. */
  #generation = 0;
  readonly #idle: IdleTimeout;
  readonly #subscription: Disposable;
  readonly #sweeper: Timer;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const onIdle = (userId: number, sessionId: number): void => {
      this.#timeOut(userId, sessionId).catch((error: unknown) => {
        options.log.error({ err: error }, "a session was not timed out");
        this.#idle.begin({ userId }, sessionId);
      });
    };
    this.#idle = new IdleTimeout(options.idleTimeoutMs, onIdle, this.#clock);
    this.#subscription = options.bus.subscribe("everyone", (message) => {
      if (message.kind === "session-ended") this.#forget(message.sessionId);
    });
    this.#sweeper = this.#clock.every(SWEEP_EVERY_MS, () => {
      this.sweep().catch((error: unknown) => options.log.error({ err: error }, "session sweep failed"));
    });
  }

  /** Takes up the sessions of the last process. */
  async open(): Promise<void> {
    await this.#idle.start(this.#options.accounts);
  }

  [Symbol.dispose](): void {
    this.#sweeper[Symbol.dispose]();
    this.#idle[Symbol.dispose]();
    this.#subscription[Symbol.dispose]();
  }

  /** @throws Refusal TOKEN_INVALID */
  async authenticate(token: string): Promise<ActiveSession> {
    if (Buffer.byteLength(token) > limits.secretBytes) throw new Refusal(Reason.TOKEN_INVALID);
    const hash = hashSecret(token);
    const key = hash.toString("base64");
    const now = this.#clock.now();
    let session = this.#active.get(key);
    if (session === undefined || session.row.expireTime <= now) {
      const generation = this.#generation;
      const row = await this.#options.accounts.sessionByToken(hash, now);
      if (row === undefined) throw new Refusal(Reason.TOKEN_INVALID);
      const { sessionId } = row;
      session = {
        row,
        bucket: this.#bucketOf(sessionId),
        reportActivity: () => this.#idle.active(sessionId),
      };
      // What ended while the store was asked must not be remembered as alive.
      if (generation === this.#generation) this.#remember(key, session);
    }
    await this.#touch(session.row, now);
    return session;
  }

  /** @throws Refusal SIGN_UP_CLOSED, INVITE_INVALID, USERNAME_INVALID, USERNAME_TAKEN, PASSWORD_INVALID; OverloadedError */
  async signUp(
    wanted: string,
    password: string,
    invite: string,
    client: ClientDescription,
    address: string,
  ): Promise<Grant> {
    const { accounts, signUp, log } = this.#options;
    if (signUp === "closed") throw new Refusal(Reason.SIGN_UP_CLOSED);
    if (signUp === "invite" && invite === "") {
      const message = "This server takes new users by invite. Ask its operator, or somebody there, for one.";
      throw new Refusal(Reason.INVITE_INVALID, { field: "invite", message });
    }
    const name = enforceUsername(wanted);
    if (!name.ok) throw new Refusal(Reason.USERNAME_INVALID, { field: "username", message: name.problem });
    const problem = misleading(name.username);
    if (problem !== undefined)
      throw new Refusal(Reason.USERNAME_INVALID, { field: "username", message: problem });
    const passwordHash = await this.#newPasswordHash(password, "password");
    const result = await accounts.addUser({
      username: name.username,
      skeleton: skeleton(name.username),
      passwordHash,
      time: this.#clock.now(),
      inviteHash: signUp === "invite" ? hashSecret(invite) : undefined,
      refuseLookAlike: true,
    });
    switch (result.status) {
      case "invite-invalid":
        throw new Refusal(Reason.INVITE_INVALID, { field: "invite" });
      case "name-taken":
      case "look-alike":
        throw new Refusal(Reason.USERNAME_TAKEN, { field: "username" });
      case "added": {
        const grant = await this.start(result.user, passwordHash, undefined, client, address);
        log.info({ event: "sign-up", username: name.username, address }, "sign-up");
        return grant;
      }
    }
  }

  /**
   * @param confirm counts the old password as an attempt of this device
   * @returns how many other sessions ended. @throws Refusal CREDENTIALS_WRONG, ACCOUNT_LOCKED, PASSWORD_INVALID; OverloadedError
   */
  async changePassword(
    session: SessionRow,
    oldPassword: string,
    newPassword: string,
    confirm: (deviceId: number, isRight: () => Promise<boolean>) => Promise<boolean>,
  ): Promise<number> {
    const { accounts, passwords, log } = this.#options;
    const user = await accounts.userByName(session.user.username);
    if (user === undefined) throw new Refusal(Reason.TOKEN_INVALID);
    const isRight = () => passwords.verify(oldPassword, user.passwordHash);
    if (!(await confirm(session.deviceId, isRight))) {
      throw new Refusal(Reason.CREDENTIALS_WRONG, {
        field: "old_password",
        message: "The old password is wrong.",
      });
    }
    const ended = await accounts.setPassword(user.userId, {
      from: user.passwordHash,
      to: await this.#newPasswordHash(newPassword, "new_password"),
      keepSessionId: session.sessionId,
    });
    if (ended === undefined) throw new Refusal(Reason.CREDENTIALS_WRONG, { field: "old_password" });
    for (const sessionId of ended) this.#announceEnd(user.userId, sessionId);
    log.info({ event: "password changed", username: user.username, ended: ended.length }, "password changed");
    return ended.length;
  }

  /** The live sessions of a user, the newest first: those with an id below `before`, at most `count`. */
  list(userId: number, before: number, count: number): Promise<SessionRow[]> {
    return this.#options.accounts.listSessions(userId, before, count, this.#clock.now());
  }

  /** Ends one of the user's sessions, with its streams. @throws Refusal SESSION_NOT_FOUND */
  async end(userId: number, sessionId: number | undefined): Promise<void> {
    if (sessionId === undefined || !(await this.#options.accounts.endSession(userId, sessionId))) {
      throw new Refusal(Reason.SESSION_NOT_FOUND, { field: "session_id" });
    }
    this.#announceEnd(userId, sessionId);
  }

  /**
   * Asks the store anew: forgets every remembered token, and ends the streams of sessions that are gone. Called when
   * another process changed the data, and now and then for sessions that expire.
   */
  async sweep(): Promise<void> {
    const { accounts, manager, sessionLifetimeMs } = this.#options;
    this.#generation++;
    this.#active.clear();
    const now = this.#clock.now();
    const connected = manager.connectedSessions();
    const valid = new Set(await accounts.validSessions([...connected.keys()], now));
    for (const [sessionId, userId] of connected) {
      if (!valid.has(sessionId)) this.#announceEnd(userId, sessionId);
      else if (now - (this.#touched.get(sessionId) ?? 0) > TOUCH_EVERY_MS) {
        this.#touched.set(sessionId, now);
        await accounts.touchSession(sessionId, now, now + sessionLifetimeMs);
      }
    }
  }

  /** Starts a session of a user who gave the password behind that hash. @throws Refusal DEVICE_INVALID, CREDENTIALS_WRONG */
  async start(
    user: UserRow,
    passwordHash: string,
    device: DeviceKey | undefined,
    client: ClientDescription,
    address: string,
  ): Promise<Grant> {
    const isKnown = device !== undefined && device.deviceId !== "";
    const deviceId = isKnown ? parseId("device", device.deviceId) : undefined;
    if (isKnown && deviceId === undefined)
      throw new Refusal(Reason.DEVICE_INVALID, { field: "device.device_id" });
    const secret = isKnown ? { secret: "", hash: hashSecret(device.deviceSecret) } : newSecret();
    const token = newSecret();
    const time = this.#clock.now();
    const expireTime = time + this.#options.sessionLifetimeMs;
    const result = await this.#options.accounts.startSession({
      userId: user.userId,
      passwordHash,
      deviceId,
      deviceSecretHash: secret.hash,
      tokenHash: token.hash,
      client,
      address,
      time,
      expireTime,
    });
    if (result.status === "device-invalid") throw new Refusal(Reason.DEVICE_INVALID, { field: "device" });
    if (result.status === "password-changed") throw new Refusal(Reason.CREDENTIALS_WRONG);
    this.#idle.begin(user, result.sessionId);
    return {
      token: token.secret,
      expireTime: new Date(expireTime),
      sessionId: formatId("session", result.sessionId),
      user: toUser(user),
      device: { deviceId: formatId("device", result.deviceId), deviceSecret: secret.secret },
      serverId: this.#options.serverId,
    };
  }

  async #newPasswordHash(password: string, field: string): Promise<string> {
    const checked = this.#options.passwords.checkNew(password);
    if (!checked.ok) throw new Refusal(Reason.PASSWORD_INVALID, { field, message: checked.problem });
    return this.#options.passwords.hash(password);
  }

  async #touch(row: SessionRow, now: number): Promise<void> {
    const last = this.#touched.get(row.sessionId) ?? row.lastUsedTime;
    if (now - last <= TOUCH_EVERY_MS) return;
    if (this.#touched.size >= limits.cachedSessions) this.#touched.clear();
    this.#touched.set(row.sessionId, now);
    await this.#options.accounts.touchSession(row.sessionId, now, now + this.#options.sessionLifetimeMs);
  }

  /** One for each session, however many calls and streams it makes at once. */
  #bucketOf(sessionId: number): TokenBucket {
    let bucket = this.#buckets.get(sessionId);
    if (bucket === undefined) {
      if (this.#buckets.size >= limits.cachedSessions) this.#buckets.clear();
      bucket = new TokenBucket(this.#options.callRate, undefined, this.#clock);
      this.#buckets.set(sessionId, bucket);
    }
    return bucket;
  }

  #remember(key: string, session: ActiveSession): void {
    if (this.#active.size >= limits.cachedSessions) this.#active.clear();
    this.#active.set(key, session);
  }

  async #timeOut(userId: number, sessionId: number): Promise<void> {
    const { accounts, log } = this.#options;
    if (!(await accounts.endSession(userId, sessionId))) return;
    log.info({ event: "time-out", session: formatId("session", sessionId) }, "time-out");
    this.#announceEnd(userId, sessionId, "timed-out");
  }

  #announceEnd(userId: number, sessionId: number, why: SessionEndedMessage["why"] = "ended"): void {
    this.#options.bus.publish("everyone", { kind: "session-ended", why, userId, sessionId });
  }

  #forget(sessionId: number): void {
    this.#generation++;
    this.#idle.end(sessionId);
    this.#touched.delete(sessionId);
    this.#buckets.delete(sessionId);
    for (const [key, session] of this.#active) {
      if (session.row.sessionId === sessionId) this.#active.delete(key);
    }
  }
}

/** A description of the calling program, cut to its bounds. @throws Refusal INVALID_FIELD */
export function describeClient(client: ClientInfo | undefined, path: string): ClientDescription {
  const description = {
    name: client?.name ?? "",
    version: client?.version ?? "",
    deviceName: client?.deviceName ?? "",
  };
  for (const [field, value] of Object.entries(description)) {
    if (Buffer.byteLength(value) > limits.clientFieldBytes) {
      throw new Refusal(Reason.INVALID_FIELD, {
        field: `${path}.${field === "deviceName" ? "device_name" : field}`,
        message: `At most ${limits.clientFieldBytes} bytes.`,
      });
    }
  }
  return description;
}

// Letting users in: the password, the lock after wrong ones, the number of sessions, and the record of it all. A name
// that nobody has is treated like any other, so that nothing tells them apart.
import type { DeviceKey, Grant } from "../../gen/parley/chat/v1/auth_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import { parseId } from "../ids.ts";
import type { Log } from "../log.ts";
import { Refusal } from "../reasons.ts";
import type {
  AccountStore,
  ClientDescription,
  LogInOutcome,
  LogInStore,
  UserWithPassword,
} from "../store/store.ts";
import { type FailureKey, Lockout, type LockRule } from "./lockout.ts";
import type { Passwords } from "./passwords.ts";
import type { Sessions } from "./sessions.ts";
import { hashSecret } from "./tokens.ts";

export interface LogInsOptions {
  readonly accounts: AccountStore;
  readonly logIns: LogInStore;
  readonly passwords: Passwords;
  readonly sessions: Sessions;
  readonly lock: LockRule;
  readonly lockDurationMs: number;
  readonly sessionsPerUser: number;
  /** How many sessions of the user are online. */
  readonly onlineSessions: (userId: number) => number;
  readonly log: Log;
  readonly clock?: Clock | undefined;
}

/** What somebody gives who wants in. */
export interface LogInRequest {
  readonly username: string;
  readonly password: string;
  readonly device: DeviceKey | undefined;
  readonly client: ClientDescription;
  /** Without port. */
  readonly address: string;
}

export class LogIns {
  readonly #options: LogInsOptions;
  readonly #clock: Clock;
  readonly #lockout: Lockout;

  constructor(options: LogInsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#lockout = new Lockout(options.logIns, options.lockDurationMs, this.#clock);
  }

  /** @throws Refusal CREDENTIALS_WRONG, ACCOUNT_LOCKED, TOO_MANY_SESSIONS, DEVICE_INVALID; OverloadedError */
  async logIn(request: LogInRequest): Promise<Grant> {
    const { accounts, passwords, sessions, lock, sessionsPerUser, onlineSessions } = this.#options;
    const { username, password, device, client, address } = request;
    const user = await accounts.userByName(username);
    const deviceId = await this.#provedDevice(user, device);
    const isSpared = lock === "spare-known" && deviceId !== undefined;
    const key: FailureKey = isSpared ? `device:${deviceId}` : `name:${username}`;
    const attempt = await this.#lockout.attempt(key, () =>
      user === undefined
        ? passwords.verifyAgainstNothing(password)
        : passwords.verify(password, user.passwordHash),
    );
    const told = { request, user, deviceId };
    if (attempt.status === "locked") {
      await this.#record(told, attempt.tried ? "locked" : "refused-locked");
      throw new Refusal(Reason.ACCOUNT_LOCKED, { retryDelayMs: attempt.leftMs });
    }
    if (attempt.status === "wrong" || user === undefined) {
      await this.#record(told, "wrong-password");
      throw new Refusal(Reason.CREDENTIALS_WRONG);
    }
    if (onlineSessions(user.userId) >= sessionsPerUser) {
      await this.#record(told, "too-many-sessions");
      throw tooManySessions(sessionsPerUser);
    }
    try {
      const grant = await sessions.start(
        user,
        await this.#freshHash(user, password),
        device,
        client,
        address,
      );
      const newDevice = parseId("device", grant.device?.deviceId ?? "");
      await this.#record({ ...told, deviceId: newDevice }, "logged-in");
      return grant;
    } catch (error) {
      if (error instanceof Refusal && error.reason === Reason.DEVICE_INVALID)
        await this.#record(told, "device-invalid");
      throw error;
    }
  }

  /** Runs the check of a password given again in a session: its failures count for that device alone. */
  async confirm(deviceId: number, isRight: () => Promise<boolean>): Promise<boolean> {
    const attempt = await this.#lockout.attempt(`device:${deviceId}`, isRight);
    if (attempt.status === "locked")
      throw new Refusal(Reason.ACCOUNT_LOCKED, { retryDelayMs: attempt.leftMs });
    return attempt.status === "right";
  }

  /** The device, where it is one of the user's and its secret is right. Asked for strangers as well: it takes as long. */
  async #provedDevice(
    user: UserWithPassword | undefined,
    device: DeviceKey | undefined,
  ): Promise<number | undefined> {
    const deviceId = parseId("device", device?.deviceId ?? "");
    if (device === undefined || deviceId === undefined) return undefined;
    const secretHash = hashSecret(device.deviceSecret);
    const isProved = await this.#options.accounts.hasDevice(user?.userId ?? 0, deviceId, secretHash);
    return isProved ? deviceId : undefined;
  }

  /** The hash that holds from now on: made anew where it is of another cost than today's. */
  async #freshHash(user: UserWithPassword, password: string): Promise<string> {
    const { accounts, passwords } = this.#options;
    const from = user.passwordHash;
    if (!passwords.needsRehash(from)) return from;
    const to = await passwords.hash(password);
    return (await accounts.setPassword(user.userId, { from, to })) === undefined ? from : to;
  }

  async #record(told: Told, outcome: LogInOutcome): Promise<void> {
    const { request, user, deviceId } = told;
    const { username, client, address } = request;
    const facts = {
      username,
      client,
      address,
      deviceId,
      userId: user?.userId,
      outcome,
      time: this.#clock.now(),
    };
    const { log } = this.#options;
    if (outcome === "logged-in") log.info({ event: "log-in", username, address }, "log-in");
    else log.info({ event: "log-in refused", username, address, problem: outcome }, "log-in refused");
    await this.#options.logIns.record(facts);
  }
}

interface Told {
  readonly request: LogInRequest;
  readonly user: UserWithPassword | undefined;
  readonly deviceId: number | undefined;
}

export function tooManySessions(most: number): Refusal {
  if (most > 1) return new Refusal(Reason.TOO_MANY_SESSIONS);
  return new Refusal(Reason.TOO_MANY_SESSIONS, {
    message: "You are logged in already. Log out there first.",
  });
}

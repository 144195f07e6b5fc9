// Log-ins: checks the password, the lock and the number of sessions, and records the outcome. A name that does not
// exist is handled like one that does, so that a client cannot find out which names exist.

import { mapUsername } from "../../command-line/map-username.ts";
import type { DeviceKey, Grant } from "../../gen/parley/chat/v1/auth_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { networkOf } from "../../rpc/network/address.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import { parseId } from "../ids.ts";
import type { Log } from "../log.ts";
import type { NodeLease } from "../nodes/node-lease.ts";
import { Refusal } from "../reasons.ts";
import type {
  AccountStore,
  ClientDescription,
  LogInOutcome,
  LogInStore,
  UserWithPassword,
} from "../store/store.ts";
import { type Asker, OverloadedError } from "./load/fair-queue.ts";
import type { RefusalRate } from "./load/refusal-rate.ts";
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
  /** How many sessions of one user may be online at the same time. */
  readonly sessionsPerUser: number;
  /** The lease of this node, which says what is online. */
  readonly lease: Pick<NodeLease, "epoch">;
  readonly refusals: RefusalRate;
  readonly log: Log;
  readonly clock?: Clock | undefined;
}

export interface LogInRequest {
  readonly username: string;
  readonly password: string;
  readonly device: DeviceKey | undefined;
  readonly client: ClientDescription;
  /** The client's network address, without port. */
  readonly address: string;
}

export class LogIns {
  readonly #options: LogInsOptions;
  readonly #clock: Clock;
  readonly #lockout: Lockout;

  constructor(options: LogInsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#lockout = new Lockout(options.logIns, options.lock, options.lockDurationMs, this.#clock);
  }

  /**
   * The cheap checks come first: the rate of the network, then the lock, then the hash. A device that proves itself has a
   * rate and a place in the queue of its own, so that strangers cannot keep it out.
   * @throws Refusal CREDENTIALS_WRONG, ACCOUNT_LOCKED, TOO_MANY_SESSIONS, DEVICE_INVALID, ACCOUNT_DISABLED,
   * RATE_LIMITED; OverloadedError
   */
  async logIn(written: LogInRequest): Promise<Grant> {
    const { refusals } = this.#options;
    const request = { ...written, username: mapUsername(written.username) };
    const deviceId = await this.#provedDevice(request);
    const rateKey = deviceId === undefined ? networkOf(request.address) : `device:${deviceId}`;
    await refusals.admit(rateKey);
    try {
      const grant = await this.#logIn(request, deviceId);
      refusals.giveBack(rateKey);
      return grant;
    } catch (error) {
      // A failure of the server says nothing about the caller.
      if (!(error instanceof Refusal)) refusals.giveBack(rateKey);
      if (error instanceof OverloadedError) await refusals.hold(rateKey);
      throw error;
    }
  }

  async #logIn(request: LogInRequest, deviceId: number | undefined): Promise<Grant> {
    const { accounts, passwords, sessions, lock, sessionsPerUser, lease } = this.#options;
    const { username, password, device, client, address } = request;
    const user = await accounts.userByName(username);
    const isSpared = lock === "spare-known" && deviceId !== undefined;
    const key = isSpared ? (`device:${deviceId}` as const) : keyOfName(username, user !== undefined);
    const asker: Asker =
      deviceId === undefined
        ? { lane: "stranger", key: networkOf(address) }
        : { lane: "known", key: `device:${deviceId}` };
    const attempt = await this.#lockout.attempt(key, () =>
      user === undefined
        ? passwords.verifyAgainstNothing(password, asker)
        : passwords.verify(password, user.passwordHash, asker),
    );
    const facts = { request, user, deviceId };
    if (attempt.status === "locked") {
      await this.#record(facts, attempt.tried ? "locked" : "refused-locked");
      throw new Refusal(Reason.ACCOUNT_LOCKED, { retryDelayMs: attempt.leftMs });
    }
    if (attempt.status === "wrong" || user === undefined) {
      await this.#record(facts, "wrong-password");
      throw new Refusal(Reason.CREDENTIALS_WRONG);
    }
    try {
      const passwordHash = await this.#freshHash(user, password);
      const mostOnline = { epoch: lease.epoch, sessions: sessionsPerUser };
      const grant = await sessions.start({ user, passwordHash, device, client, address, mostOnline });
      const newDevice = parseId("device", grant.device?.deviceId ?? "");
      await this.#record({ ...facts, deviceId: newDevice }, "logged-in");
      return grant;
    } catch (error) {
      const outcome = error instanceof Refusal ? outcomeOf.get(error.reason) : undefined;
      if (outcome !== undefined) await this.#record(facts, outcome);
      throw error;
    }
  }

  /** Records the session that started when a user set a new password with a reset. */
  async recordReset(
    request: Omit<LogInRequest, "password" | "device">,
    { user, device }: Grant,
  ): Promise<void> {
    const { username, client, address } = request;
    await this.#options.logIns.record({
      username,
      client,
      address,
      network: networkOf(address),
      userId: parseId("user", user?.userId ?? ""),
      deviceId: parseId("device", device?.deviceId ?? ""),
      outcome: "password-reset",
      time: this.#clock.now(),
    });
  }

  /**
   * Checks a password that a user enters again during a session. Failures count only for the device.
   * @throws Refusal ACCOUNT_LOCKED; OverloadedError
   */
  async confirm(deviceId: number, isRight: () => Promise<boolean>): Promise<boolean> {
    const attempt = await this.#lockout.attempt(`device:${deviceId}`, isRight);
    if (attempt.status === "locked")
      throw new Refusal(Reason.ACCOUNT_LOCKED, { retryDelayMs: attempt.leftMs });
    return attempt.status === "right";
  }

  /**
   * The id of the device if it is the user's and its secret is right. The store is also read for unknown users, so that
   * both take equally long.
   */
  async #provedDevice({ username, device }: LogInRequest): Promise<number | undefined> {
    const deviceId = parseId("device", device?.deviceId ?? "");
    if (device === undefined || deviceId === undefined) return undefined;
    const user = await this.#options.accounts.userByName(username);
    const secretHash = hashSecret(device.deviceSecret);
    const isProved = await this.#options.accounts.hasDevice(user?.userId ?? 0, deviceId, secretHash);
    return isProved ? deviceId : undefined;
  }

  /** Hashes the password again if the stored hash has another cost. @returns the hash that is stored afterwards */
  async #freshHash(user: UserWithPassword, password: string): Promise<string> {
    const { accounts, passwords } = this.#options;
    const from = user.passwordHash;
    if (!passwords.needsRehash(from)) return from;
    const to = await passwords.hash(password);
    return (await accounts.setPassword(user.userId, { from, to })) === undefined ? from : to;
  }

  async #record(attempt: AttemptFacts, outcome: LogInOutcome): Promise<void> {
    const { request, user, deviceId } = attempt;
    const { client, address } = request;
    const username = user?.username ?? shortened(request.username);
    const facts = {
      username,
      client,
      address,
      network: networkOf(address),
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

/** What the record shows of a log-in that was refused although its password was right. */
const outcomeOf: ReadonlyMap<Reason, LogInOutcome> = new Map([
  [Reason.DEVICE_INVALID, "device-invalid"],
  [Reason.ACCOUNT_DISABLED, "disabled"],
  [Reason.TOO_MANY_SESSIONS, "too-many-sessions"],
]);

interface AttemptFacts {
  readonly request: LogInRequest;
  readonly user: UserWithPassword | undefined;
  readonly deviceId: number | undefined;
}

/**
 * What the log and the record show of a name that does not exist: it may be a password, typed in the wrong place. The
 * beginning is enough to recognize a mistyped name.
 */
function shortened(username: string): string {
  const characters = [...username];
  return `${characters.slice(0, characters.length < 4 ? 1 : 2).join("")}… (${characters.length} characters)`;
}

function keyOfName(username: string, isKnown: boolean): FailureKey {
  return isKnown ? `name:${username}` : `unknown:${hashSecret(username).toString("base64url")}`;
}

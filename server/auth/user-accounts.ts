// User accounts: sign-up, password change, and the removal of accounts and devices.
import type { Grant } from "../../gen/parley/chat/v1/auth_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { networkOf } from "../../rpc/network/address.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import type { Log } from "../log.ts";
import { Refusal } from "../reasons.ts";
import type {
  AccountStore,
  AdminStore,
  ClientDescription,
  NewUserResult,
  SessionRow,
  UserRow,
} from "../store/store.ts";
import { misleading } from "./choices/new-names.ts";
import { type Asker, OverloadedError } from "./load/fair-queue.ts";
import type { RefusalRate } from "./load/refusal-rate.ts";
import type { LogIns } from "./log-ins.ts";
import type { Passwords } from "./passwords.ts";
import type { Sessions } from "./sessions.ts";
import { hashSecret } from "./tokens.ts";
import { enforceUsername, skeleton } from "./username.ts";

/** "closed": sign-up is refused. "invite": it requires an invite. "open": anyone may sign up. */
export type SignUpMode = "closed" | "invite" | "open";

export interface UserAccountsOptions {
  readonly accounts: AccountStore;
  readonly admin: AdminStore;
  readonly passwords: Passwords;
  readonly sessions: Sessions;
  readonly logIns: Pick<LogIns, "confirm" | "recordReset">;
  readonly refusals: RefusalRate;
  readonly signUp: SignUpMode;
  /** Called after a user was removed: ends the sessions of that user everywhere. */
  readonly onRemoved: () => Promise<void>;
  readonly log: Log;
  readonly clock?: Clock | undefined;
}

export interface SignUpRequest {
  readonly username: string;
  readonly password: string;
  /** The invite; empty if there is none. */
  readonly invite: string;
  readonly client: ClientDescription;
  /** The client's network address, without port. */
  readonly address: string;
}

export interface ResetRequest {
  /** The secret that an administrator or the operator gave to the user. */
  readonly reset: string;
  readonly newPassword: string;
  readonly client: ClientDescription;
  /** The client's network address, without port. */
  readonly address: string;
}

export class UserAccounts {
  readonly #options: UserAccountsOptions;
  readonly #clock: Clock;

  constructor(options: UserAccountsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Adds a user and starts the first session, on a new device. The password is hashed only after everything else was
   * checked.
   * @throws Refusal SIGN_UP_CLOSED, INVITE_INVALID, USERNAME_INVALID, USERNAME_TAKEN, PASSWORD_INVALID, RATE_LIMITED;
   * OverloadedError
   */
  async signUp(request: SignUpRequest): Promise<Grant> {
    const { refusals, signUp } = this.#options;
    const network = networkOf(request.address);
    await refusals.admit(network);
    try {
      const grant = await this.#signUp(request, network);
      // Where anyone may sign up, each account counts.
      if (signUp === "invite") refusals.giveBack(network);
      return grant;
    } catch (error) {
      if (error instanceof OverloadedError) {
        refusals.giveBack(network);
        await refusals.hold(network);
      }
      throw error;
    }
  }

  async #signUp(
    { username: wanted, password, invite, client, address }: SignUpRequest,
    network: string,
  ): Promise<Grant> {
    const { accounts, sessions, signUp, log } = this.#options;
    if (signUp === "closed") throw new Refusal(Reason.SIGN_UP_CLOSED);
    if (signUp === "invite" && invite === "") {
      const message =
        "This server requires an invite to sign up. Ask its operator or one of its users for one.";
      throw new Refusal(Reason.INVITE_INVALID, { field: "invite", message });
    }
    const name = enforceUsername(wanted);
    if (!name.ok) {
      const { problem: message, facts = {} } = name;
      throw new Refusal(Reason.USERNAME_INVALID, { field: "username", message, facts });
    }
    const problem = misleading(name.username);
    if (problem !== undefined)
      throw new Refusal(Reason.USERNAME_INVALID, { field: "username", message: problem });
    this.#checkPassword(password, name.username, "password");
    const user = {
      username: name.username,
      skeleton: skeleton(name.username),
      time: this.#clock.now(),
      inviteHash: signUp === "invite" ? hashSecret(invite) : undefined,
      refuseLookAlike: true,
    };
    checkAddition(await accounts.checkNewUser(user));
    const asker: Asker = { lane: "stranger", key: network };
    const passwordHash = await this.#options.passwords.hash(password, asker);
    // The invite or the name may have been used meanwhile.
    const result = await accounts.addUser({ ...user, passwordHash });
    checkAddition(result.status);
    if (result.status !== "added") throw new Error("a refused user was added");
    const grant = await sessions.start({ user: result.user, passwordHash, client, address });
    log.info({ event: "sign-up", username: name.username, address }, "sign-up");
    return grant;
  }

  /**
   * Changes the password, and ends all other sessions of the user. A wrong old password counts as a failed log-in of
   * the device.
   * @returns the number of sessions that ended
   * @throws Refusal CREDENTIALS_WRONG, ACCOUNT_LOCKED, PASSWORD_INVALID, TOKEN_INVALID; OverloadedError
   */
  async changePassword(session: SessionRow, oldPassword: string, newPassword: string): Promise<number> {
    const { accounts, passwords, sessions, logIns, log } = this.#options;
    const user = await accounts.userByName(session.user.username);
    if (user === undefined) throw new Refusal(Reason.TOKEN_INVALID);
    this.#checkPassword(newPassword, user.username, "new_password");
    const asker: Asker = { lane: "known", key: `user:${user.userId}` };
    const isRight = () => passwords.verify(oldPassword, user.passwordHash, asker);
    if (!(await logIns.confirm(session.deviceId, isRight))) {
      throw new Refusal(Reason.CREDENTIALS_WRONG, {
        field: "old_password",
        message: "The old password is wrong.",
      });
    }
    const ended = await accounts.setPassword(user.userId, {
      from: user.passwordHash,
      to: await passwords.hash(newPassword, asker),
      keepSessionId: session.sessionId,
    });
    if (ended === undefined) {
      await this.#checkSession(session.sessionId);
      throw new Refusal(Reason.CREDENTIALS_WRONG, { field: "old_password" });
    }
    for (const sessionId of ended) sessions.announceEnd(user.userId, sessionId);
    log.info({ event: "password changed", username: user.username, ended: ended.length }, "password changed");
    return ended.length;
  }

  /**
   * Sets a new password with a reset, ends all sessions of the user, and starts a new one. The reset is checked first,
   * because a stranger can invent one, and a hash is expensive.
   * @throws Refusal RESET_INVALID, ACCOUNT_DISABLED, PASSWORD_INVALID, RATE_LIMITED; OverloadedError
   */
  async resetPassword(request: ResetRequest): Promise<{ grant: Grant; endedSessions: number }> {
    const { admin, passwords, sessions, logIns, log, refusals } = this.#options;
    const { newPassword, client, address } = request;
    const network = networkOf(address);
    await refusals.admit(network);
    const resetHash = hashSecret(request.reset);
    const user = await admin.reset(resetHash, this.#clock.now());
    if (user === undefined) throw new Refusal(Reason.RESET_INVALID, { field: "reset" });
    if (user.isDisabled) throw new Refusal(Reason.ACCOUNT_DISABLED);
    this.#checkPassword(newPassword, user.username, "new_password");
    const asker: Asker = { lane: "known", key: `user:${user.userId}` };
    const passwordHash = await passwords.hash(newPassword, asker);
    const ended = await admin.useReset({ resetHash, passwordHash, time: this.#clock.now() });
    // The reset was used, or the user disabled, while the password was hashed.
    if (ended === undefined) throw new Refusal(Reason.RESET_INVALID, { field: "reset" });
    await sessions.sweep();
    const grant = await sessions.start({ user, passwordHash, client, address });
    refusals.giveBack(network);
    const { username } = user;
    log.info({ event: "password reset", username, address, ended }, "password reset");
    await logIns.recordReset({ username, client, address }, grant);
    return { grant, endedSessions: ended };
  }

  /**
   * Removes the user. A wrong password counts as a failed log-in of the device.
   * @throws Refusal CREDENTIALS_WRONG, ACCOUNT_LOCKED, TOKEN_INVALID; OverloadedError
   */
  async deleteAccount({ user, deviceId, sessionId }: SessionRow, password: string): Promise<void> {
    const { accounts, passwords, logIns, onRemoved, log } = this.#options;
    const wrong = new Refusal(Reason.CREDENTIALS_WRONG, {
      field: "password",
      message: "The password is wrong.",
    });
    const found = await accounts.userByName(user.username);
    if (found === undefined) throw new Refusal(Reason.TOKEN_INVALID);
    const asker: Asker = { lane: "known", key: `user:${user.userId}` };
    const isRight = () => passwords.verify(password, found.passwordHash, asker);
    if (!(await logIns.confirm(deviceId, isRight))) throw wrong;
    if (!(await accounts.deleteAccount(user.userId, sessionId, found.passwordHash))) {
      await this.#checkSession(sessionId);
      throw wrong;
    }
    await onRemoved();
    log.info({ event: "account deleted", username: user.username }, "account deleted");
  }

  /**
   * Removes a device of the user.
   * @returns the number of sessions that ended
   * @throws Refusal DEVICE_NOT_FOUND
   */
  async removeDevice(user: UserRow, deviceId: number | undefined): Promise<number> {
    const { accounts, sessions } = this.#options;
    const ended = deviceId === undefined ? undefined : await accounts.removeDevice(user.userId, deviceId);
    if (ended === undefined) {
      const message = "You have no such device.";
      throw new Refusal(Reason.DEVICE_NOT_FOUND, { field: "device_id", message });
    }
    for (const sessionId of ended) sessions.announceEnd(user.userId, sessionId);
    return ended.length;
  }

  /** The session may have ended while a password was hashed. @throws Refusal TOKEN_INVALID */
  async #checkSession(sessionId: number): Promise<void> {
    const ended = await this.#options.accounts.endedSessions([sessionId], this.#clock.now());
    if (ended.length > 0) throw new Refusal(Reason.TOKEN_INVALID);
  }

  #checkPassword(password: string, username: string, field: string): void {
    const checked = this.#options.passwords.checkNew(password, username);
    if (checked.ok) return;
    const { problem: message, facts = {} } = checked;
    throw new Refusal(Reason.PASSWORD_INVALID, { field, message, facts });
  }
}

/** @throws Refusal INVITE_INVALID, USERNAME_TAKEN */
function checkAddition(status: NewUserResult["status"]): void {
  if (status === "invite-invalid") throw new Refusal(Reason.INVITE_INVALID, { field: "invite" });
  if (status !== "added") throw new Refusal(Reason.USERNAME_TAKEN, { field: "username" });
}

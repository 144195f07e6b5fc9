// The rules of administration: users, bots, forgotten passwords and invites. The operator's commands and AdminService use
// them. Results are values, not refusals, because the commands run without gRPC.
import { misleading } from "../auth/choices/new-names.ts";
import type { Passwords } from "../auth/passwords.ts";
import { newSecret } from "../auth/tokens.ts";
import { enforceUsername, skeleton } from "../auth/username.ts";
import type { Facts } from "../reasons.ts";
import type { AccountStore, Administering, AdminStore, BotSession, UserRow } from "../store/store.ts";

export interface AdministrationOptions {
  readonly accounts: AccountStore;
  readonly admin: AdminStore;
  readonly passwords: Passwords;
  /** Called after each change that may end sessions, before the result is returned. */
  readonly onChange?: () => Promise<void>;
}

export type AddUserResult =
  | { readonly status: "added"; readonly user: UserRow }
  | {
      readonly status: "name-invalid" | "password-invalid";
      readonly problem: string;
      readonly facts?: Facts | undefined;
    }
  | { readonly status: "name-taken" | "look-alike" | "not-administrator" };

/** The token of a bot. It is shown once, and only its hash is stored. */
export interface BotToken {
  readonly kind: "bot-token";
  readonly token: string;
}

/** The secret with which a user sets a new password. It is shown once, and only its hash is stored. */
export interface ResetSecret {
  readonly kind: "reset";
  readonly secret: string;
  readonly expireTime: number;
}

export const RESET_LIFETIME_MS = 24 * 60 * 60_000;
/** The end of the year 9999, the last that a Timestamp can have: a bot's token does not expire. */
const NEVER = 253_402_300_799_000;

/** The operator, who runs commands on the server's machine. */
export function operator(now: number): Administering {
  return { userId: undefined, address: "", time: now };
}

export class Administration {
  readonly #options: AdministrationOptions;

  constructor(options: AdministrationOptions) {
    this.#options = options;
  }

  async addUser(username: string, password: string, by: Administering): Promise<AddUserResult> {
    const { passwords } = this.#options;
    const verdict = passwords.checkNew(password, username);
    if (!verdict.ok) return { status: "password-invalid", problem: verdict.problem, facts: verdict.facts };
    return this.#add(username, password, by);
  }

  /** Adds a bot, whose password is random and not kept. */
  async addBot(username: string, by: Administering): Promise<AddUserResult | (BotToken & { user: UserRow })> {
    const { token, session } = newBotSession();
    const added = await this.#add(username, newSecret().secret, by, session);
    if (added.status !== "added") return added;
    return { kind: "bot-token", token, user: added.user };
  }

  /** @returns false if there is no such user */
  async removeUser(username: string, by: Administering): Promise<boolean> {
    const isDone = await this.#options.accounts.removeUser(username, by);
    await this.#options.onChange?.();
    return isDone;
  }

  /** @returns false if there is no such user */
  setAdministrator(username: string, isAdministrator: boolean, by: Administering): Promise<boolean> {
    return this.#options.accounts.setAdministrator(username, isAdministrator, by);
  }

  /** @returns the number of sessions that ended; undefined if there is no such user */
  async setDisabled(username: string, isDisabled: boolean, by: Administering): Promise<number | undefined> {
    const ended = await this.#options.admin.setDisabled(username, isDisabled, by);
    await this.#options.onChange?.();
    return ended;
  }

  /** @returns the number of sessions that ended; undefined if there is no such user */
  async endSessions(username: string, by: Administering): Promise<number | undefined> {
    const ended = await this.#options.admin.endSessions(username, by);
    await this.#options.onChange?.();
    return ended;
  }

  /** @returns false if there is no such user */
  unlock(username: string, by: Administering): Promise<boolean> {
    return this.#options.admin.unlock(username, by);
  }

  /** Lets a person set a new password, or replaces the token of a bot. @returns undefined if there is no such user */
  async resetUser(username: string, by: Administering): Promise<ResetSecret | BotToken | undefined> {
    const { admin } = this.#options;
    if ((await admin.account(username))?.isBot === true) return this.#newBotToken(username, by);
    const { secret, hash } = newSecret();
    const expireTime = by.time + RESET_LIFETIME_MS;
    const isAdded = await admin.addReset(username, hash, expireTime, by);
    return isAdded ? { kind: "reset", secret, expireTime } : undefined;
  }

  /** @returns the id of the invite, and its secret, which is not stored */
  async createInvite(
    uses: number,
    lifetimeMs: number,
    by: Administering,
  ): Promise<{ inviteId: string; secret: string }> {
    const { secret, hash } = newSecret();
    const inviteId = await this.#options.accounts.addInvite(hash, uses, by.time + lifetimeMs, by.time, by);
    return { inviteId, secret };
  }

  async #newBotToken(username: string, by: Administering): Promise<BotToken | undefined> {
    const { admin, onChange } = this.#options;
    const { token, session } = newBotSession();
    if (!(await admin.replaceBotSession(username, session, by))) return undefined;
    await onChange?.();
    return { kind: "bot-token", token };
  }

  async #add(name: string, password: string, by: Administering, bot?: BotSession): Promise<AddUserResult> {
    const { accounts, passwords } = this.#options;
    const checked = enforceUsername(name);
    if (!checked.ok) return { status: "name-invalid", problem: checked.problem, facts: checked.facts };
    const { username } = checked;
    const problem = misleading(username);
    if (problem !== undefined) return { status: "name-invalid", problem };
    const passwordHash = await passwords.hash(password);
    const { time } = by;
    const user = { username, skeleton: skeleton(username), passwordHash, time, refuseLookAlike: true, bot };
    const result = await accounts.addUser(user, by);
    if (result.status === "invite-invalid") throw new Error("the store required an invite");
    return result;
  }
}

function newBotSession(): { token: string; session: BotSession } {
  const { secret, hash } = newSecret();
  return {
    token: secret,
    session: { tokenHash: hash, deviceSecretHash: newSecret().hash, expireTime: NEVER },
  };
}

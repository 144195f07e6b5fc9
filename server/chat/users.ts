// Names and ids of users, remembered: names never change and ids are never reused, so only removals make one forget.
import { limits } from "../limits.ts";
import type { AccountStore, UserRow } from "../store/store.ts";

export class Users {
  readonly #accounts: AccountStore;
  readonly #byName = new Map<string, UserRow>();
  readonly #byId = new Map<number, UserRow>();

  constructor(accounts: AccountStore) {
    this.#accounts = accounts;
  }

  /** The present user of that exact name. Answers at once where it is remembered, so that sends keep their order. */
  byName(username: string): UserRow | Promise<UserRow | undefined> {
    return this.#byName.get(username) ?? this.#findByName(username);
  }

  /** The rows of these users, removed ones included. */
  async byIds(userIds: Iterable<number>): Promise<Map<number, UserRow>> {
    const found = new Map<number, UserRow>();
    const missing = new Set<number>();
    for (const userId of userIds) {
      const row = this.#byId.get(userId);
      if (row === undefined) missing.add(userId);
      else found.set(userId, row);
    }
    if (missing.size > 0) {
      for (const row of await this.#accounts.usersById([...missing])) {
        remember(this.#byId, row.userId, row);
        found.set(row.userId, row);
      }
    }
    return found;
  }

  /** Forgets who exists; ids keep their names for ever. */
  forgetNames(): void {
    this.#byName.clear();
  }

  async #findByName(username: string): Promise<UserRow | undefined> {
    const found = await this.#accounts.userByName(username);
    if (found === undefined) return undefined;
    const row: UserRow = { userId: found.userId, username: found.username };
    remember(this.#byName, username, row);
    remember(this.#byId, row.userId, row);
    return row;
  }
}

function remember<K>(map: Map<K, UserRow>, key: K, row: UserRow): void {
  if (map.size >= limits.cachedUsers) {
    const oldest = map.keys().next();
    if (!oldest.done) map.delete(oldest.value);
  }
  map.set(key, row);
}

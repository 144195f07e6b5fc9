// Caches the names and ids of users. A name never changes and an id is never reused, so only a removal invalidates an
// element.
import { LRUCache } from "lru-cache";
import { mapUsername } from "../../command-line/map-username.ts";
import { limits } from "../limits.ts";
import type { AccountStore, UserRow } from "../store/store.ts";

/**
 * With `maxSize` the cache grows as it fills. `max` would allocate all slots when the server starts, which takes 5 ms.
 */
const cacheOptions = { maxSize: limits.cachedUsers, sizeCalculation: () => 1 };

export class UserCache {
  readonly #accounts: AccountStore;
  readonly #byName = new LRUCache<string, UserRow>(cacheOptions);
  readonly #byId = new LRUCache<number, UserRow>(cacheOptions);
  readonly #currentById = new LRUCache<number, UserRow>(cacheOptions);

  constructor(accounts: AccountStore) {
    this.#accounts = accounts;
  }

  /**
   * The current user with that name, as a client or a person wrote it; undefined if there is none. A cached user is not
   * wrapped in a promise, so that consecutive sends keep their order.
   */
  byName(written: string): UserRow | Promise<UserRow | undefined> {
    const username = mapUsername(written);
    return this.#byName.get(username) ?? this.#findByName(username);
  }

  /** Like byName, for an id. */
  byId(userId: number): UserRow | Promise<UserRow | undefined> {
    return this.#currentById.get(userId) ?? this.#findById(userId);
  }

  /** The removed user who had that name. */
  removedByName(written: string): Promise<UserRow | undefined> {
    return this.#accounts.removedUser(mapUsername(written));
  }

  /** The row of a user, who may have been removed, if it is cached. */
  cached(userId: number): UserRow | undefined {
    return this.#byId.get(userId);
  }

  /** The rows of these users, including removed users. */
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
        this.#byId.set(row.userId, row);
        found.set(row.userId, row);
      }
    }
    return found;
  }

  /** Call it after users may have been removed. Rows by id stay valid: a removed user keeps the id and the name. */
  forgetNames(): void {
    this.#byName.clear();
    this.#currentById.clear();
  }

  async #findById(userId: number): Promise<UserRow | undefined> {
    const found = await this.#accounts.userById(userId);
    if (found !== undefined) this.#currentById.set(userId, found);
    return found;
  }

  async #findByName(username: string): Promise<UserRow | undefined> {
    const found = await this.#accounts.userByName(username);
    if (found === undefined) return undefined;
    const row: UserRow = { userId: found.userId, username: found.username };
    this.#byName.set(username, row);
    this.#byId.set(row.userId, row);
    return row;
  }
}

// The rules of blocks: whom a user may block. No event names a block, but the blocked user sees the blocker go offline. The
// store decides which entries a block hides.
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import type { Clock } from "../../time/clock.ts";
import { Refusal } from "../reasons.ts";
import type { BlockRow, BlockStore, UserRow } from "../store/store.ts";
import type { Markers } from "./markers.ts";
import type { Presence } from "./presence/presence.ts";
import type { UserCache } from "./user-cache.ts";

export class Blocks {
  readonly #store: BlockStore;
  readonly #users: UserCache;
  readonly #markers: Markers;
  readonly #presence: Pick<Presence, "blockChanged">;
  readonly #clock: Clock;

  constructor(
    store: BlockStore,
    users: UserCache,
    markers: Markers,
    presence: Pick<Presence, "blockChanged">,
    clock: Clock,
  ) {
    this.#presence = presence;
    this.#clock = clock;
    this.#store = store;
    this.#users = users;
    this.#markers = markers;
  }

  /** @throws Refusal USER_NOT_FOUND, RECIPIENT_IS_SELF, ALREADY_BLOCKED */
  async block(blocker: UserRow, username: string): Promise<BlockRow> {
    const user = await this.#find(username);
    if (user.userId === blocker.userId) {
      throw new Refusal(Reason.RECIPIENT_IS_SELF, {
        field: "username",
        message: "You cannot block yourself.",
      });
    }
    const createTime = this.#clock.now();
    switch (await this.#store.block(blocker.userId, user.userId, createTime)) {
      case "blocked":
        await this.#presence.blockChanged();
        return { user, createTime };
      case "already-blocked":
        throw new Refusal(Reason.ALREADY_BLOCKED, { field: "username" });
      case "no-user":
        throw new Refusal(Reason.USER_NOT_FOUND, { field: "username" });
    }
  }

  /** @throws Refusal USER_NOT_FOUND, NOT_BLOCKED */
  async unblock(blocker: UserRow, username: string): Promise<UserRow> {
    const user = await this.#find(username);
    const result = await this.#store.unblock(blocker.userId, user.userId);
    if (result.status === "not-blocked") throw new Refusal(Reason.NOT_BLOCKED, { field: "username" });
    await this.#presence.blockChanged();
    if (result.conversation !== undefined) this.#markers.publishAgain(blocker, user, result.conversation);
    return user;
  }

  async #find(username: string): Promise<UserRow> {
    const user = await this.#users.byName(username);
    if (user === undefined) throw new Refusal(Reason.USER_NOT_FOUND, { field: "username" });
    return user;
  }
}

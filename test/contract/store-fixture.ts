// What the store's contract tests stand on: a store under test, and short ways to fill it.
import type { NewEntry, NewUser, Store } from "../../server/store/store.ts";

/** One store on data of its own. */
export interface StoreUnderTest extends AsyncDisposable {
  /** The store that is open now. */
  readonly store: Store;
  /** Closes the store and opens another on the same data. */
  reopen(): Promise<Store>;
  /** Adds a user the way that another process does. */
  addUserElsewhere(user: NewUser): Promise<void>;
}

/** The store under test of the running test, and short ways to fill it. */
export class Fixture {
  #under: StoreUnderTest | undefined;
  #lastToken = 0;

  async raise(open: () => Promise<StoreUnderTest>): Promise<void> {
    this.#under = await open();
  }

  async strike(): Promise<void> {
    await this.#under?.[Symbol.asyncDispose]();
  }

  get under(): StoreUnderTest {
    if (this.#under === undefined) throw new Error("no store is open");
    return this.#under;
  }

  get store(): Store {
    return this.under.store;
  }

  /** Adds users and answers their ids. */
  async users<const N extends readonly string[]>(...names: N): Promise<{ [K in keyof N]: number }> {
    const ids: number[] = [];
    for (const name of names) {
      const result = await this.store.accounts.addUser(newUser(name));
      if (result.status !== "added") throw new Error(`${name} was not added: ${result.status}`);
      ids.push(result.user.userId);
    }
    return ids as { [K in keyof N]: number };
  }

  /** Starts a session on a new device. */
  async session(
    userId: number,
    expireTime = 1_000_000,
  ): Promise<{ sessionId: number; deviceId: number; token: Uint8Array }> {
    const token = hashOf(`token ${++this.#lastToken}`);
    const [user] = await this.store.accounts.usersById([userId]);
    const result = await this.store.accounts.startSession({
      userId,
      passwordHash: `hash of ${user?.username}`,
      deviceId: undefined,
      deviceSecretHash: hashOf("secret"),
      tokenHash: token,
      client: { name: "test", version: "1", deviceName: "context" },
      address: "127.0.0.1",
      time: 1_000,
      expireTime,
    });
    if (result.status !== "started") throw new Error(result.status);
    return { sessionId: result.sessionId, deviceId: result.deviceId, token };
  }
}

export function newUser(username: string, more: Partial<NewUser> = {}): NewUser {
  return {
    username,
    skeleton: username.toLowerCase(),
    passwordHash: `hash of ${username}`,
    time: 1_000,
    refuseLookAlike: true,
    ...more,
  };
}

/** 32 bytes that stand for a hash. */
export function hashOf(text: string): Uint8Array {
  const hash = new Uint8Array(32);
  hash.set(new TextEncoder().encode(text).subarray(0, 32));
  return hash;
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** An entry by a sender whose device has the same number. */
export function entry(
  senderId: number,
  clientMessageId: number | bigint,
  target: NewEntry["target"],
  text = "hello",
): NewEntry {
  return {
    senderId,
    deviceId: senderId,
    clientMessageId: BigInt(clientMessageId),
    target,
    content: bytes(text),
    time: 5_000,
  };
}

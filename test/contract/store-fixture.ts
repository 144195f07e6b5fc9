// The store that the contract's tests run against, and short ways to fill it.
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import type {
  LogInFailures,
  NewEntry,
  NewSession,
  NewSessionResult,
  NewUser,
  OnlineStream,
  Store,
} from "../../server/store/store.ts";

/** A store with data of its own. */
export interface StoreUnderTest extends AsyncDisposable {
  /** The store that is open now. */
  readonly store: Store;
  /** Closes the store and opens another on the same data. */
  reopen(): Promise<Store>;
  /** Adds a user as another process does. */
  addUserElsewhere(user: NewUser): Promise<void>;
  /** Saves the same failures for this many keys that no test uses, faster than through the store. */
  fillFailures(count: number, failures: LogInFailures, time: number): void;
}

/** The store of the running test. User names are different in each test, so that tests can share a store. */
export class Fixture {
  readonly #open: () => Promise<StoreUnderTest>;
  #under: StoreUnderTest | undefined;
  #test = 0;
  #lastToken = 0;
  /** The lease that each store has. */
  readonly #epochs = new WeakMap<StoreUnderTest, number>();

  constructor(open: () => Promise<StoreUnderTest>) {
    this.#open = open;
  }

  /** Called inside `describe`: its tests share one store. */
  shareStore(): void {
    beforeAll(async () => {
      this.#under = await this.#open();
    });
    afterAll(() => this.under[Symbol.asyncDispose]());
    beforeEach(() => {
      this.#test += 1;
    });
  }

  /** Called inside a `describe` below that one: each of its tests has a store of its own. */
  ownStore(): void {
    let shared: StoreUnderTest | undefined;
    beforeEach(async () => {
      shared = this.#under;
      this.#under = await this.#open();
    });
    afterEach(async () => {
      const own = this.#under;
      this.#under = shared;
      if (own !== shared) await own?.[Symbol.asyncDispose]();
    });
  }

  get under(): StoreUnderTest {
    if (this.#under === undefined) throw new Error("no store is open");
    return this.#under;
  }

  get store(): Store {
    return this.under.store;
  }

  /** The user name of this test for a name. Names of later tests are greater in code point order. */
  readonly name = (name: string): string => `${String(this.#test).padStart(3, "0")} ${name}`;

  /** A user with a name of this test, to be added. */
  readonly newUser = (name: string, more: Partial<NewUser> = {}): NewUser => newUser(this.name(name), more);

  /** The password hash of the user that this test added under the name. */
  readonly hash = (name: string): string => this.newUser(name).passwordHash;

  /** Adds users with names of this test. Returns their ids. */
  async users<const N extends readonly string[]>(...names: N): Promise<{ [K in keyof N]: number }> {
    const ids: number[] = [];
    for (const name of names) {
      const result = await this.store.accounts.addUser(this.newUser(name));
      if (result.status !== "added") throw new Error(`${name} was not added: ${result.status}`);
      ids.push(result.user.userId);
    }
    return ids as { [K in keyof N]: number };
  }

  /** A stream by which the user is online, on a node whose lease lasts. */
  async stream(userId: number): Promise<OnlineStream> {
    let epoch = this.#epochs.get(this.under);
    if (epoch === undefined) {
      epoch = await this.store.nodes.take("contract", 0, Number.MAX_SAFE_INTEGER);
      this.#epochs.set(this.under, epoch);
    }
    return { epoch, streamId: userId, userId, sessionId: userId, processId: "" };
  }

  /** Opens the one stream of the user. */
  async online(userId: number, time: number): Promise<void> {
    await this.store.presence.open(await this.stream(userId), time, { streams: 9, sessions: 9 });
  }

  /** Closes the one stream of the user. */
  async offline(userId: number, time: number, to?: number): Promise<void> {
    await this.store.presence.close(await this.stream(userId), time, to);
  }

  /** Tries to start a session on a new device. */
  async start(
    userId: number,
    more: Partial<NewSession> & Pick<NewSession, "tokenHash">,
  ): Promise<NewSessionResult> {
    const [user] = await this.store.accounts.usersById([userId]);
    return this.store.accounts.startSession({
      userId,
      passwordHash: `hash of ${user?.username}`,
      deviceId: undefined,
      deviceSecretHash: hashOf("secret"),
      client: { name: "test", version: "1", deviceName: "laptop" },
      address: "127.0.0.1",
      time: 1_000,
      expireTime: 1_000_000,
      ...more,
    });
  }

  /** Starts a session on a new device. */
  async session(
    userId: number,
    expireTime = 1_000_000,
  ): Promise<{ sessionId: number; deviceId: number; token: Uint8Array }> {
    const token = hashOf(`token ${++this.#lastToken}`);
    const result = await this.start(userId, { tokenHash: token, expireTime });
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

/** 32 bytes that stand for the hash of a text. */
export function hashOf(text: string): Uint8Array {
  const hash = new Uint8Array(32);
  hash.set(new TextEncoder().encode(text).subarray(0, 32));
  return hash;
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** An entry by a sender whose device has the same id as the sender. */
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
    kind: 1,
    time: 5_000,
  };
}

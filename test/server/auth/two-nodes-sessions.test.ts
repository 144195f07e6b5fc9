// Sessions on two nodes with one store and no bus between them: what each node finds out by itself.
import { expect, test } from "vitest";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { Sessions } from "../../../server/auth/sessions.ts";
import type { SessionEndedMessage } from "../../../server/bus/bus.ts";
import { NodeBus } from "../../../server/bus/node-bus.ts";
import { ClientManager } from "../../../server/client-manager.ts";
import { limits } from "../../../server/limits.ts";
import { silentLog } from "../../../server/log.ts";
import type { Store, UserRow } from "../../../server/store/store.ts";
import { newUser } from "../../contract/store-fixture.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { sqliteUnderTest } from "../store/temporary.ts";

const TIMEOUT_MS = 60_000;
const invalid = { reason: Reason.TOKEN_INVALID };

class Node implements AsyncDisposable {
  readonly sessions: Sessions;
  readonly ends: SessionEndedMessage[] = [];
  readonly #bus = new NodeBus();
  readonly #manager = new ClientManager(this.#bus);

  constructor(store: Store, clock: ManualClock) {
    this.#bus.subscribe("everyone", (message) => {
      if (message.kind === "session-ended") this.ends.push(message);
    });
    this.sessions = new Sessions({
      accounts: store.accounts,
      presence: store.presence,
      lease: { epoch: 0 },
      bus: this.#bus,
      manager: this.#manager,
      serverId: "s",
      sessionLifetimeMs: 1_000_000_000,
      idleTimeoutMs: TIMEOUT_MS,
      callRate: 1_000,
      log: silentLog(),
      clock,
    });
  }

  /** Makes the session one that has a stream on this node. */
  connect(userId: number, sessionId: number): void {
    this.#manager.hold({ userId, sessionId, end: () => undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sessions[Symbol.asyncDispose]();
    this.#manager[Symbol.dispose]();
    this.#bus[Symbol.dispose]();
  }
}

interface TwoNodes extends AsyncDisposable {
  readonly a: Node;
  readonly b: Node;
  readonly clock: ManualClock;
  readonly store: Store;
  readonly user: UserRow;
  /** Starts a session of the user on node a. */
  start(): Promise<{ token: string; sessionId: number }>;
  /** Advances the clock, and waits until both nodes have done what they do at that time. */
  pass(ms: number): Promise<void>;
}

async function twoNodes(): Promise<TwoNodes> {
  const under = await sqliteUnderTest();
  const clock = new ManualClock();
  const [a, b] = [new Node(under.store, clock), new Node(under.store, clock)];
  const added = await under.store.accounts.addUser(newUser("yoda"));
  if (added.status !== "added") throw new Error(added.status);
  const { user } = added;
  for (const { sessions } of [a, b]) await sessions.open();
  const client = { name: "", version: "", deviceName: "" };
  return {
    a,
    b,
    clock,
    store: under.store,
    user,
    async start() {
      const passwordHash = newUser("yoda").passwordHash;
      const grant = await a.sessions.start({ user, passwordHash, client, address: "" });
      const [row] = await a.sessions.list(user.userId, Number.MAX_SAFE_INTEGER, 1);
      return { token: grant.token, sessionId: row?.sessionId ?? 0 };
    },
    async pass(ms) {
      clock.advance(ms);
      // The writes and the reads that the nodes have sent come before these in the store.
      for (let turn = 0; turn < 3; turn++) {
        await under.store.accounts.reportActivity([]);
        await under.store.accounts.endedSessions([], 0);
      }
    },
    async [Symbol.asyncDispose]() {
      await a[Symbol.asyncDispose]();
      await b[Symbol.asyncDispose]();
      await under[Symbol.asyncDispose]();
    },
  };
}

const why = ({ ends }: Node): string[] => ends.map((end) => end.why);

test("two nodes: a session that is used on the second does not time out on the first", async () => {
  await using two = await twoNodes();
  const { a, b, pass } = two;
  const { token } = await two.start();
  const onB = await b.sessions.authenticate(token);
  for (let step = 0; step < 15; step++) {
    await pass(TIMEOUT_MS / 5);
    onB.reportActivity();
    await pass(0);
  }
  await pass(TIMEOUT_MS - 1);
  expect([why(a), why(b)]).toEqual([[], []]);
  await pass(1);
  // One of the two has ended the session, exactly at the time-out; the other finds it out.
  await expect.poll(() => [...why(a), ...why(b)]).toContain("timed-out");
  await expect(b.sessions.authenticate(token)).rejects.toMatchObject(invalid);
});

test("two nodes: commands on both, just before the time-out of the other, keep the session", async () => {
  await using two = await twoNodes();
  const { a, b, pass } = two;
  const { token } = await two.start();
  const on = [await a.sessions.authenticate(token), await b.sessions.authenticate(token)] as const;
  for (let round = 0; round < 6; round++) {
    await pass(TIMEOUT_MS - 1);
    on[round % 2 === 0 ? 1 : 0].reportActivity();
    await pass(0);
  }
  expect([why(a), why(b)]).toEqual([[], []]);
});

test("two nodes: a node ends the idle session of one that has stopped", async () => {
  await using two = await twoNodes();
  const { a, b, pass } = two;
  await two.start();
  // The second node reads every minute which sessions have started.
  await pass(TIMEOUT_MS - 1);
  await a[Symbol.asyncDispose]();
  await pass(1);
  await pass(1);
  await expect.poll(() => why(b)).toEqual(["timed-out"]);
});

test("two nodes: what the first knows of a command is stored when it stops", async () => {
  await using two = await twoNodes();
  const { a, clock, store } = two;
  const { token, sessionId } = await two.start();
  clock.advance(1_000);
  (await a.sessions.authenticate(token)).reportActivity();
  await a[Symbol.asyncDispose]();
  const live = await store.accounts.liveSessions(0, 10, clock.now());
  expect(live).toEqual([{ sessionId, userId: two.user.userId, activeTime: clock.now() }]);
});

test("two nodes: a log-out that the bus loses ends the streams and the token of the other within about a second", async () => {
  await using two = await twoNodes();
  const { a, b, user, pass } = two;
  const { token, sessionId } = await two.start();
  await b.sessions.authenticate(token);
  b.connect(user.userId, sessionId);
  await a.sessions.end(user.userId, sessionId);
  expect(why(b)).toEqual([]);
  await pass(limits.sessionLookMs);
  await expect.poll(() => why(b)).toEqual(["ended"]);
  await expect(b.sessions.authenticate(token)).rejects.toMatchObject(invalid);
});

test("two nodes: a token that was not used for a while is not trusted without the store", async () => {
  await using two = await twoNodes();
  const { a, b, user, pass } = two;
  const { token, sessionId } = await two.start();
  await b.sessions.authenticate(token);
  await pass(limits.sessionLookMs);
  await a.sessions.end(user.userId, sessionId);
  await pass(limits.tokenTrustedMs + 1);
  expect(why(b)).toEqual([]);
  await expect(b.sessions.authenticate(token)).rejects.toMatchObject(invalid);
});

test("two nodes: a time-out that the bus loses keeps its reason", async () => {
  await using two = await twoNodes();
  const { a, b, user, store, clock, pass } = two;
  const { sessionId } = await two.start();
  b.connect(user.userId, sessionId);
  await store.accounts.endIdleSession(user.userId, sessionId, clock.now(), clock.now());
  await pass(limits.sessionLookMs);
  await expect.poll(() => why(b)).toEqual(["timed-out"]);
  expect(why(a)).toEqual([]);
});

test("all sessions of a node are looked up in one operation, and no look begins before the last one is over", async () => {
  await using two = await twoNodes();
  const { b, store, user, clock } = two;
  const asked: number[] = [];
  const held = Promise.withResolvers<void>();
  const { endedSessions } = store.accounts;
  store.accounts.endedSessions = async (ids, now) => {
    asked.push(ids.length);
    await held.promise;
    return endedSessions(ids, now);
  };
  for (let sessionId = 1; sessionId <= 3; sessionId++) b.connect(user.userId, 1_000 + sessionId);
  clock.advance(3 * limits.sessionLookMs);
  expect(asked).toEqual([3]);
  held.resolve();
  await expect.poll(() => why(b)).toEqual(["ended", "ended", "ended"]);
});

// Tests presence on two nodes over one store: which users are online when a node starts, dies, or loses its lease, and that
// the bus may lose every message.

import { join } from "node:path";
import { expect, test } from "vitest";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import type { Bus } from "../../../server/bus/bus.ts";
import { NodeBus } from "../../../server/bus/node-bus.ts";
import { Presence, type PresentStream } from "../../../server/chat/presence/presence.ts";
import { type PresenceMessage, tooManyStreams } from "../../../server/client-manager.ts";
import { limits } from "../../../server/limits.ts";
import { NodeLease } from "../../../server/nodes/node-lease.ts";
import { Refusal } from "../../../server/reasons.ts";
import { openSqliteStore } from "../../../server/store/sqlite/sqlite-store.ts";
import type { Store, UserRow } from "../../../server/store/store.ts";
import { newUser } from "../../contract/store-fixture.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { FaultyBus, SharedBus } from "../../support/shared-bus.ts";
import { startInProcess } from "../store/in-process-thread.ts";
import { temporaryFolder } from "../store/temporary.ts";

const graceMs = 2_000;

/** A node with a clock of its own. A node whose clock stands still looks dead to the others. */
class Node implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly lease: NodeLease;
  readonly presence: Presence;
  /** What the streams of this node were told, such as "+leia" and "-leia". */
  readonly told: string[] = [];
  readonly errors: unknown[] = [];

  readonly #bus = new NodeBus();
  readonly #shared: Bus;

  constructor(nodeId: string, store: Store, bus: Bus, now: number) {
    const clock = new ManualClock(now);
    const onError = (error: unknown): void => void this.errors.push(error);
    const tell = ({ cameOnline, wentOffline }: PresenceMessage): void => {
      for (const { username } of cameOnline) this.told.push(`+${username}`);
      for (const { username } of wentOffline) this.told.push(`-${username}`);
    };
    this.#shared = bus;
    this.clock = clock;
    this.lease = new NodeLease({ nodeId, store: store.nodes, clock, onError });
    this.presence = new Presence({
      store: store.presence,
      bus: this.#bus,
      lease: this.lease,
      broadcastHead: () => 0,
      manager: {
        deliver: () => undefined,
        deliverToAll: (message) => message.kind === "presence" && tell(message),
      },
      graceMs,
      sessionsPerUser: 2,
      tooManySessions: () => new Refusal(Reason.TOO_MANY_SESSIONS),
      tooManyStreams,
      onError,
      clock,
    });
  }

  async start(): Promise<this> {
    await this.#bus.connect(this.#shared, (error) => this.errors.push(error));
    await this.lease.start();
    await this.presence.start();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.presence[Symbol.asyncDispose]();
    await this.lease[Symbol.asyncDispose]();
    this.#bus[Symbol.dispose]();
  }
}

class Cluster implements AsyncDisposable {
  readonly store: Store;
  readonly #bus: () => Bus;
  readonly #folder: AsyncDisposable;
  readonly now = 1_000_000;

  private constructor(store: Store, bus: () => Bus, folder: AsyncDisposable) {
    this.store = store;
    this.#bus = bus;
    this.#folder = folder;
  }

  /** @param isLossy whether the bus loses every message between nodes */
  static async start({ isLossy = false } = {}): Promise<Cluster> {
    const folder = await temporaryFolder();
    const store = await openSqliteStore({
      file: join(folder.folder, "parley.db"),
      startThread: startInProcess,
    });
    const bus = isLossy ? new FaultyBus(() => "lost") : new SharedBus();
    return new Cluster(store, () => bus.end(), folder);
  }

  node(nodeId: string, now = this.now): Promise<Node> {
    return new Node(nodeId, this.store, this.#bus(), now).start();
  }

  async user(username: string): Promise<UserRow> {
    const result = await this.store.accounts.addUser(newUser(username));
    if (result.status !== "added") throw new Error(result.status);
    return result.user;
  }

  async online(): Promise<string[]> {
    const users = await this.store.presence.list(0, 0, 0, "", 10);
    return users.filter(({ online }) => online).map(({ user }) => user.username);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** Advances the clocks, in steps in which each node can renew its lease. */
async function pass(ms: number, ...nodes: readonly Node[]): Promise<void> {
  await settle();
  for (let left = ms; left > 0; left -= limits.lookMs) {
    for (const { clock } of nodes) clock.advance(Math.min(left, limits.lookMs));
    await settle();
  }
}

/** Lets the writes that have begun end, with what follows from their answers. The store runs on this thread. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("a second node that starts leaves the users of the first one online", async () => {
  await using cluster = await Cluster.start();
  const leia = await cluster.user("leia");
  await using a = await cluster.node("a");
  await a.presence.enter(leia, 1, "p");
  await using b = await cluster.node("b");
  await pass(60_000, a, b);
  expect(await cluster.online()).toEqual(["leia"]);
  expect(b.told).toEqual([]);
});

test("a user with streams on both nodes is online until the last one has ended", async () => {
  await using cluster = await Cluster.start();
  const leia = await cluster.user("leia");
  await using a = await cluster.node("a");
  await using b = await cluster.node("b");
  const first = await a.presence.enter(leia, 1, "p");
  const second = await b.presence.enter(leia, 1, "q");
  a.presence.leave(first, "left");
  await pass(20_000, a, b);
  expect(await cluster.online()).toEqual(["leia"]);
  b.presence.leave(second, "left");
  await pass(1_000, a, b);
  expect(await cluster.online()).toEqual([]);
  for (const { told } of [a, b]) expect(told).toEqual(["+leia", "-leia"]);
});

test("a program that was lost on one node and comes back at the other stays online", async () => {
  await using cluster = await Cluster.start();
  const leia = await cluster.user("leia");
  await using a = await cluster.node("a");
  await using b = await cluster.node("b");
  a.presence.leave(await a.presence.enter(leia, 1, "p"), "lost");
  await pass(graceMs / 2, a, b);
  await b.presence.enter(leia, 1, "p");
  await pass(60_000, a, b);
  expect(await cluster.online()).toEqual(["leia"]);
  for (const { told } of [a, b]) expect(told).toEqual(["+leia"]);
});

test("a program that was lost on one node and leaves at the other is offline at once", async () => {
  await using cluster = await Cluster.start();
  const leia = await cluster.user("leia");
  await using a = await cluster.node("a");
  await using b = await cluster.node("b");
  a.presence.leave(await a.presence.enter(leia, 1, "p"), "lost");
  b.presence.leave(await b.presence.enter(leia, 1, "p"), "left");
  await pass(1, a, b);
  expect(await cluster.online()).toEqual([]);
});

test("a program that was lost on one node and leaves by a call to the other is offline at once", async () => {
  await using cluster = await Cluster.start({ isLossy: true });
  const leia = await cluster.user("leia");
  await using a = await cluster.node("a");
  await using b = await cluster.node("b");
  a.presence.leave(await a.presence.enter(leia, 1, "p"), "lost");
  await b.presence.leaveProgram(leia.userId, 1, "p");
  expect(await cluster.online()).toEqual([]);
});

test("changes reach the other node within a second when the bus loses every message", async () => {
  await using cluster = await Cluster.start({ isLossy: true });
  const leia = await cluster.user("leia");
  await using a = await cluster.node("a");
  await using b = await cluster.node("b");
  const stream = await a.presence.enter(leia, 1, "p");
  await pass(limits.lookMs, a, b);
  expect(b.told).toEqual(["+leia"]);
  a.presence.leave(stream, "left");
  await pass(limits.lookMs, a, b);
  expect(b.told).toEqual(["+leia", "-leia"]);
});

test("the users of a node that dies go offline when its lease is over, as of its last renewal", async () => {
  await using cluster = await Cluster.start();
  const [leia, han] = [await cluster.user("leia"), await cluster.user("han")];
  await using b = await cluster.node("b");
  const a = await cluster.node("a");
  await a.presence.enter(leia, 1, "p");
  await a.presence.enter(han, 2, "p");
  await b.presence.enter(han, 3, "p");
  await pass(limits.leaseRenewalMs, a, b);
  await pass(limits.leaseMs - 1, b);
  expect(await cluster.online()).toEqual(["han", "leia"]);
  await pass(1, b);
  expect(await cluster.online()).toEqual(["han"]);
  await pass(limits.lookMs, b);
  expect(b.told.at(-1)).toBe("-leia");
  expect(await cluster.store.presence.of(leia.userId, 0, 0)).toMatchObject({
    lastOnlineTime: cluster.now + limits.leaseRenewalMs,
  });
});

test("the users of a process that starts again are online for the rest of the grace period", async () => {
  await using cluster = await Cluster.start();
  const leia = await cluster.user("leia");
  const crashed = await cluster.node("a");
  await crashed.presence.enter(leia, 1, "p");
  await using again = await cluster.node("a", cluster.now + graceMs / 2);
  expect(await again.presence.onlineSessions(leia.userId)).toBe(0);
  await pass(graceMs / 2 - 1, again);
  expect(await cluster.online()).toEqual(["leia"]);
  await pass(1, again);
  expect(await cluster.online()).toEqual([]);
});

test("a node whose lease was over for too long takes another one, and its users are online again", async () => {
  await using cluster = await Cluster.start();
  const [leia, han] = [await cluster.user("leia"), await cluster.user("han")];
  await using a = await cluster.node("a");
  await using b = await cluster.node("b");
  const stream = await a.presence.enter(leia, 1, "p");
  await pass(30_000, b);
  expect(await cluster.online()).toEqual([]);
  // It was suspended, and finds out when it writes.
  a.clock.setWallClock(b.clock.now());
  const { epoch } = a.lease;
  const other = await a.presence.enter(han, 2, "p");
  expect(a.lease.epoch).toBeGreaterThan(epoch);
  await pass(limits.leaseRenewalMs, a, b);
  expect(await cluster.online()).toEqual(["han", "leia"]);
  for (const each of [stream, other]) a.presence.leave(each, "left");
  await pass(limits.lookMs, a, b);
  expect(await cluster.online()).toEqual([]);
  expect(a.errors).toEqual([]);
});

test("a session has at most 4 streams over all nodes", async () => {
  await using cluster = await Cluster.start();
  const leia = await cluster.user("leia");
  await using a = await cluster.node("a");
  await using b = await cluster.node("b");
  const streams: PresentStream[] = [];
  for (const { presence } of [a, b, a, b]) streams.push(await presence.enter(leia, 1, "p"));
  for (const { presence } of [a, b]) {
    await expect(presence.enter(leia, 1, "p")).rejects.toMatchObject({ reason: Reason.TOO_MANY_STREAMS });
  }
  const [first] = streams;
  if (first !== undefined) a.presence.leave(first, "left");
  await b.presence.enter(leia, 1, "p");
});

test("a user has as many sessions online over all nodes as the setting says", async () => {
  await using cluster = await Cluster.start();
  const leia = await cluster.user("leia");
  await using a = await cluster.node("a");
  await using b = await cluster.node("b");
  await a.presence.enter(leia, 1, "p");
  await b.presence.enter(leia, 2, "p");
  for (const { presence } of [a, b]) {
    await expect(presence.enter(leia, 3, "p")).rejects.toMatchObject({ reason: Reason.TOO_MANY_SESSIONS });
    await presence.enter(leia, 1, "q");
  }
});

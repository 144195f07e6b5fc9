// Tests that presence is true when the store fails, and when a user leaves deliberately.
import { describe, expect, test } from "vitest";
import { limits } from "../../../server/limits.ts";
import { type PresenceStore, type Store, StoreUnavailableError } from "../../../server/store/store.ts";
import type { TestClient, TestStream } from "../../support/client.ts";
import { reasonOf } from "../../support/client.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { TestServer } from "../../support/server.ts";

const graceMs = 10_000;

/** A store whose next presence operation of each named kind fails: before or after it is stored. */
function failing(faults: Partial<Record<"open" | "close", "before" | "after">>) {
  return (store: Store): Store => {
    const failOnce = async <T>(name: "open" | "close", work: () => Promise<T>): Promise<T> => {
      const when = faults[name];
      delete faults[name];
      if (when === "before") throw new StoreUnavailableError("no");
      const result = await work();
      if (when === "after") throw new StoreUnavailableError("no");
      return result;
    };
    const presence: PresenceStore = {
      ...store.presence,
      open: (...given) => failOnce("open", () => store.presence.open(...given)),
      close: (...given) => failOnce("close", () => store.presence.close(...given)),
    };
    return new Proxy(store, {
      get: (target, name) => {
        if (name === "presence") return presence;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  };
}

const named = (username: string) => (users: readonly { username: string }[]) =>
  users.some((user) => user.username === username);

async function seen(
  clock: ManualClock,
  stream: TestStream,
  change: "cameOnline" | "wentOffline",
  who: string,
) {
  const found = stream.next("presenceChanged", (event) => named(who)(event[change]));
  // The change may be announced only after the join time, which begins when the store has answered.
  let isSeen = false;
  void found.then(() => (isSeen = true));
  await expect
    .poll(() => {
      clock.advance(limits.presenceJoinMs);
      return isSeen;
    })
    .toBe(true);
}

async function broadcastsSeenBy(client: TestClient, server: TestServer): Promise<string[]> {
  return client.textsOf({ $case: "conversationId", value: `c${server.store.broadcastId}` });
}

describe("a close that the store refuses once", () => {
  test.each(["before", "after"] as const)("is repeated until it is stored (it failed %s)", async (when) => {
    const clock = new ManualClock();
    const faults: Parameters<typeof failing>[0] = {};
    await using server = await TestServer.start({
      users: ["leia", "han"],
      clock,
      wrapStore: failing(faults),
    });
    const leia = await server.logIn("leia");
    using watching = await leia.connect().caughtUp();
    const han = await server.logIn("han");
    const stream = await han.connect().caughtUp();
    await leia.broadcast("while han is online");
    faults.close = when;
    stream[Symbol.dispose]();
    await expect.poll(() => server.logged.some(({ msg }) => msg === "presence was not stored")).toBe(true);
    await leia.broadcast("after han has left");
    clock.advance(limits.leaseRenewalMs);
    await seen(clock, watching, "wentOffline", "han");
    expect(await leia.whoelse()).toEqual([]);
    await leia.broadcast("later");
    expect(await broadcastsSeenBy(han, server)).toEqual(["while han is online", "-", "-"]);
  });

  test("does not let a user who comes back earlier see the broadcasts of the time between", async () => {
    const clock = new ManualClock();
    const faults: Parameters<typeof failing>[0] = {};
    await using server = await TestServer.start({
      users: ["leia", "han"],
      clock,
      wrapStore: failing(faults),
    });
    const leia = await server.logIn("leia");
    const han = await server.logIn("han");
    const stream = await han.connect().caughtUp();
    faults.close = "before";
    stream[Symbol.dispose]();
    await expect.poll(() => faults.close).toBeUndefined();
    await leia.broadcast("while han is away");
    using back = await han.connect().caughtUp();
    await leia.broadcast("welcome back");
    expect(await back.nextText()).toBe("welcome back");
    expect(await broadcastsSeenBy(han, server)).toEqual(["-", "welcome back"]);
    clock.advance(limits.leaseRenewalMs);
    expect(await leia.whoelse()).toEqual(["han"]);
  });

  test("does not extend to an attempt to come back that the store refuses, too", async () => {
    const clock = new ManualClock();
    const faults: Parameters<typeof failing>[0] = {};
    await using server = await TestServer.start({
      users: ["leia", "han"],
      clock,
      wrapStore: failing(faults),
    });
    const leia = await server.logIn("leia");
    const han = await server.logIn("han");
    const stream = await han.connect().caughtUp();
    faults.close = "before";
    stream[Symbol.dispose]();
    await expect.poll(() => faults.close).toBeUndefined();
    await leia.broadcast("while han is away");
    faults.close = "before";
    await expect(han.connect().caughtUp()).rejects.toThrow("cannot store anything");
    clock.advance(limits.leaseRenewalMs);
    using back = await han.connect().caughtUp();
    await leia.broadcast("welcome back");
    expect(await back.nextText()).toBe("welcome back");
    expect(await broadcastsSeenBy(han, server)).toEqual(["-", "welcome back"]);
  });
});

test("a user whose coming was stored but not confirmed is not left online", async () => {
  const clock = new ManualClock();
  const faults: Parameters<typeof failing>[0] = {};
  await using server = await TestServer.start({ users: ["leia", "han"], clock, wrapStore: failing(faults) });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  faults.open = "after";
  const stream = han.connect();
  expect((await stream.ended)?.reason).toBe("STORE_UNAVAILABLE");
  await expect.poll(() => leia.whoelse()).toEqual([]);
});

describe("Leave", () => {
  type Way = "as a command" | "as a call";
  const ways: readonly Way[] = ["as a command", "as a call"];

  function open(way: Way, client: TestClient, processId: string): TestStream {
    return way === "as a command" ? client.connect({ processId }) : client.follow({ processId });
  }

  async function leave(way: Way, client: TestClient, stream: TestStream, processId: string): Promise<void> {
    if (way === "as a command") stream.write({ kind: { $case: "leave", value: { processId: "" } } });
    else await client.unary(client.chat, client.chat.leave, { processId });
    expect(await stream.ended).toBeUndefined();
  }

  test.each(ways)("%s shows the user offline at once", async (way) => {
    const clock = new ManualClock();
    await using server = await TestServer.start({ users: ["leia", "han"], clock, presenceGraceMs: graceMs });
    const leia = await server.logIn("leia");
    using watching = await leia.connect().caughtUp();
    const han = await server.logIn("han");
    const stream = await open(way, han, "one").caughtUp();
    await seen(clock, watching, "cameOnline", "han");
    await leave(way, han, stream, "one");
    if (way === "as a call") expect(await leia.whoelse()).toEqual([]);
    await seenWithin(clock, watching, graceMs);
    expect(await leia.whoelse()).toEqual([]);
  });

  test.each(ways)("%s leaves the user online by other streams and devices", async (way) => {
    const clock = new ManualClock();
    await using server = await TestServer.start({ users: ["leia", "han"], clock, presenceGraceMs: graceMs });
    const leia = await server.logIn("leia");
    const [phone, laptop] = [await server.logIn("han"), await server.logIn("han")];
    const first = await open(way, phone, "one").caughtUp();
    const second = await open(way, phone, "two").caughtUp();
    const third = await open(way, laptop, "one").caughtUp();
    await leave(way, phone, first, "one");
    expect(await leia.whoelse()).toEqual(["han"]);
    await leave(way, phone, second, "two");
    expect(await leia.whoelse()).toEqual(["han"]);
    await leave(way, laptop, third, "one");
    await expect.poll(() => leia.whoelse()).toEqual([]);
  });

  test.each(ways)("%s does not end the grace period of another program that was lost", async (way) => {
    const clock = new ManualClock();
    await using server = await TestServer.start({ users: ["leia", "han"], clock, presenceGraceMs: graceMs });
    const leia = await server.logIn("leia");
    const han = await server.logIn("han");
    const first = await open(way, han, "one").caughtUp();
    const second = await open(way, han, "two").caughtUp();
    first[Symbol.dispose]();
    await first.ended;
    // The loss is known to the server once the program has a new place.
    await settledStreams(han, 1);
    clock.advance(graceMs / 2);
    await leave(way, han, second, "two");
    expect(await leia.whoelse()).toEqual(["han"]);
    clock.advance(graceMs / 2);
    await expect.poll(() => leia.whoelse()).toEqual([]);
  });

  test("as a call ends the grace period of a program whose stream was closed before", async () => {
    const clock = new ManualClock();
    await using server = await TestServer.start({ users: ["leia", "han"], clock, presenceGraceMs: graceMs });
    const leia = await server.logIn("leia");
    const han = await server.logIn("han");
    const stream = await han.follow({ processId: "one" }).caughtUp();
    stream[Symbol.dispose]();
    await settledStreams(han, 0);
    await han.unary(han.chat, han.chat.leave, { processId: "two" });
    expect(await leia.whoelse()).toEqual(["han"]);
    await han.unary(han.chat, han.chat.leave, { processId: "one" });
    expect(await leia.whoelse()).toEqual([]);
  });

  test("a process_id that is too long is refused", async () => {
    await using server = await TestServer.start({ users: ["han"] });
    const han = await server.logIn("han");
    const processId = "x".repeat(limits.processIdBytes + 1);
    expect(await reasonOf(han.unary(han.chat, han.chat.leave, { processId }))).toBe("INVALID_FIELD");
  });

  /** Waits until the server has noticed that all but `count` streams of the session have ended. */
  async function settledStreams(client: TestClient, count: number): Promise<void> {
    await expect
      .poll(async () => {
        const open: TestStream[] = [];
        for (let index = 0; index < limits.streamsPerSession - count; index++) {
          open.push(client.follow({ processId: "probe" }));
        }
        const results = await Promise.all(
          open.map((stream) =>
            Promise.race([stream.caughtUp().then(() => true), stream.ended.then(() => false)]),
          ),
        );
        await client.unary(client.chat, client.chat.leave, { processId: "probe" });
        return results.every((result) => result);
      })
      .toBe(true);
  }

  async function seenWithin(clock: ManualClock, stream: TestStream, ms: number): Promise<void> {
    const before = clock.monotonic();
    await seen(clock, stream, "wentOffline", "han");
    expect(clock.monotonic() - before).toBeLessThan(ms);
  }
});

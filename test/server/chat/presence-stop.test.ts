// Tests that presence and the lease of the node write nothing after the server has stopped, when the store may be closed.
import { expect, test } from "vitest";
import { limits } from "../../../server/limits.ts";
import type { Store } from "../../../server/store/store.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { TestServer } from "../../support/server.ts";

const graceMs = 50;

type Write = (...given: unknown[]) => Promise<unknown>;

/** Records the writes of presence and of the lease, and holds those of one kind until `release` is called. */
class HeldWrites {
  held: string | undefined;
  readonly calls: string[] = [];
  readonly #released = Promise.withResolvers<void>();

  release(): void {
    this.#released.resolve();
  }

  readonly wrap = (store: Store): Store => {
    const areas: Record<PropertyKey, unknown> = {
      presence: this.#recorded(store.presence, ["open", "close", "lose"]),
      nodes: this.#recorded(store.nodes, ["take", "renew", "end"]),
    };
    return new Proxy(store, {
      get: (target, name) => {
        if (Object.hasOwn(areas, name)) return areas[name];
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  };

  #recorded<T extends object>(area: T, names: readonly (keyof T & string)[]): T {
    const recorded = names.map((name) => {
      const write = area[name] as Write;
      const held: Write = async (...given) => {
        this.calls.push(name);
        if (this.held === name) await this.#released.promise;
        return write(...given);
      };
      return [name, held] as const;
    });
    return { ...area, ...Object.fromEntries(recorded) };
  }
}

function problemsOf(server: TestServer): string[] {
  return server.logged.filter(({ level }) => level >= 40).map(({ msg }) => msg);
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a stream that is still opening when the server stops is waited for, and its end writes nothing", async () => {
  const clock = new ManualClock();
  const writes = new HeldWrites();
  await using server = await TestServer.start({
    users: ["han"],
    clock,
    presenceGraceMs: graceMs,
    wrapStore: writes.wrap,
  });
  const han = await server.logIn("han");
  writes.held = "open";
  const stream = han.connect();
  await expect.poll(() => writes.calls).toContain("open");
  stream[Symbol.dispose]();
  han[Symbol.dispose]();
  let isStopped = false;
  const stopped = server.stop().then(() => (isStopped = true));
  await nextTurn();
  expect(isStopped).toBe(false);
  writes.release();
  await stopped;
  expect(writes.calls).toEqual(["take", "open", "end"]);
  clock.advance(graceMs + limits.leaseRenewalMs);
  await nextTurn();
  expect(writes.calls).toEqual(["take", "open", "end"]);
  expect(problemsOf(server)).toEqual([]);
});

test("a renewal of the lease that is running when the server stops is waited for", async () => {
  const clock = new ManualClock();
  const writes = new HeldWrites();
  await using server = await TestServer.start({ users: ["han"], clock, wrapStore: writes.wrap });
  writes.held = "renew";
  clock.advance(limits.leaseRenewalMs);
  const stopped = server.stop();
  await nextTurn();
  expect(writes.calls).toEqual(["take", "renew"]);
  writes.release();
  await stopped;
  expect(writes.calls).toEqual(["take", "renew", "end"]);
  expect(problemsOf(server)).toEqual([]);
});

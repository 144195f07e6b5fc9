// The cache of sessions: an ended session leaves it immediately, also after the cache has replaced or evicted entries.
import { expect, test } from "vitest";
import { Sessions } from "../../../server/auth/sessions.ts";
import { hashSecret } from "../../../server/auth/tokens.ts";
import { NodeBus } from "../../../server/bus/node-bus.ts";
import { ClientManager } from "../../../server/client-manager.ts";
import { limits } from "../../../server/limits.ts";
import { silentLog } from "../../../server/log.ts";
import type { AccountStore, SessionRow } from "../../../server/store/store.ts";
import { ManualClock } from "../../support/manual-clock.ts";

interface Cached extends AsyncDisposable {
  readonly sessions: Sessions;
  /** Session ids that were read from the store, in order. */
  readonly reads: number[];
  /** Makes the store end the session, and announces it. */
  end(sessionId: number): Promise<void>;
}

/** Sessions over a store in which session `n` has the token `n`. */
function open(): Cached {
  const bus = new NodeBus();
  const manager = new ClientManager(bus);
  const ended = new Set<number>();
  const reads: number[] = [];
  const byHash = new Map<string, number>();
  for (let sessionId = 1; sessionId <= limits.cachedSessions + 1; sessionId++) {
    byHash.set(hashSecret(String(sessionId)).toString("base64"), sessionId);
  }
  const accounts = {
    sessionByToken: (hash: Uint8Array) => {
      const sessionId = byHash.get(Buffer.from(hash).toString("base64")) ?? 0;
      reads.push(sessionId);
      return Promise.resolve(ended.has(sessionId) ? undefined : rowOf(sessionId));
    },
    endSession: (_userId: number, sessionId: number) => {
      ended.add(sessionId);
      return Promise.resolve(true);
    },
  } as Partial<AccountStore> as AccountStore;
  const sessions = new Sessions({
    accounts,
    presence: { connectedElsewhere: () => Promise.resolve([]) },
    lease: { epoch: 1 },
    bus,
    manager,
    serverId: "s",
    sessionLifetimeMs: 1_000_000,
    idleTimeoutMs: undefined,
    callRate: 10,
    log: silentLog(),
    clock: new ManualClock(),
  });
  return {
    sessions,
    reads,
    end: (sessionId) => sessions.end(1, sessionId),
    async [Symbol.asyncDispose]() {
      await sessions[Symbol.asyncDispose]();
      manager[Symbol.dispose]();
      bus[Symbol.dispose]();
    },
  };
}

function rowOf(sessionId: number): SessionRow {
  const time = Date.now();
  return {
    sessionId,
    user: { userId: 1, username: "leia" },
    isBot: false,
    deviceId: 1,
    client: { name: "", version: "", deviceName: "" },
    address: "",
    createTime: time,
    lastUsedTime: time,
    expireTime: time + 1_000_000,
  };
}

test("a session that ends is refused, although two calls cached it at the same time", async () => {
  await using cached = open();
  const { sessions, reads } = cached;
  await Promise.all([sessions.authenticate("1"), sessions.authenticate("1")]);
  await sessions.authenticate("1");
  expect(reads).toEqual([1, 1]);
  await cached.end(1);
  await expect(sessions.authenticate("1")).rejects.toThrow();
});

test("in a full cache the ends of many sessions are fast, and each of them is refused", async () => {
  await using cached = open();
  const { sessions, reads } = cached;
  for (let id = 1; id <= limits.cachedSessions + 1; id++) await sessions.authenticate(String(id));
  // The first one was evicted, and is cached again.
  await sessions.authenticate("1");
  expect(reads.at(-1)).toBe(1);
  const start = performance.now();
  for (let id = 1; id <= 4_000; id++) await cached.end(id);
  expect(performance.now() - start).toBeLessThan(2_000);
  for (const id of [1, 2, 3, 2_000, 4_000]) await expect(sessions.authenticate(String(id))).rejects.toThrow();
  const before = reads.length;
  await sessions.authenticate("4001");
  expect(reads).toHaveLength(before);
});

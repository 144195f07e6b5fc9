// The Parley server process for the benchmark, with a temporary data folder that contains the users of all pairs.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { Passwords } from "../server/auth/passwords.ts";
import { skeleton } from "../server/auth/username.ts";
import { startServer } from "../server/server.ts";
import { openSqliteStore } from "../server/store/sqlite/sqlite-store.ts";
import { answerParent } from "./measure.ts";

const pairs = Number(process.argv[2]);
/** Commands and calls that one session may make each second. */
const callRate = Number(process.argv[3] ?? 1_000_000);
const folder = await mkdtemp(join(tmpdir(), "parley-bench-"));
const passwords = new Passwords();
const store = await openSqliteStore({ file: join(folder, "parley.db") });
const passwordHash = await passwords.hash("a bench password");
const usernames = Array.from({ length: pairs }, (_, pair) => [`sender${pair}`, `receiver${pair}`]).flat();
await store.accounts.importUsers(
  usernames.map((username) => ({ username, skeleton: skeleton(username), passwordHash, time: Date.now() })),
);
const server = await startServer({
  store,
  passwords,
  listen: { host: "127.0.0.1", port: 0 },
  signUp: "closed",
  presenceGraceMs: 10_000,
  sessionLifetimeMs: 3_600_000,
  callRate,
  sessionsPerUser: 8,
  lock: "spare-known",
  lockDurationMs: 60_000,
  idleTimeoutMs: undefined,
  log: pino({ level: "error" }),
});
answerParent(server.port, async () => {
  await server.stop();
  await store[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

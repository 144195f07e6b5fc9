// The real server in the process of the test, on a free port, in a temporary folder, with users who have passwords.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { DeviceKey } from "../../gen/parley/chat/v1/auth_service.ts";
import { skeleton } from "../../server/auth/username.ts";
import { type RunningServer, type ServerOptions, startServer } from "../../server/server.ts";
import { openSqliteStore } from "../../server/store/sqlite/sqlite-store.ts";
import type { Store } from "../../server/store/store.ts";
import { systemClock } from "../../time/clock.ts";
import { startInProcess } from "../server/store/in-process-thread.ts";
import { cheapPasswords } from "./cheap-passwords.ts";
import { TestClient } from "./client.ts";
import { unreliableBus } from "./shared-bus.ts";
import { storeHandle } from "./store-handle.ts";

export interface TestServerOptions extends Partial<Omit<ServerOptions, "store" | "listen">> {
  /** The users to create. Each has the password `passwordOf(name)`. */
  readonly users?: readonly string[];
  readonly wrapStore?: (store: Store) => Store | Promise<Store>;
  /** Opens another store than one in the folder of the server. */
  readonly openStore?: () => Promise<Store>;
}

export function passwordOf(username: string): string {
  return `password of ${username}`;
}

/** A line of the server's log. The level of a warning is 40, of an error 50. */
export interface Logged {
  readonly level: number;
  readonly msg: string;
}

/** The fast tests run the store on their own thread, which costs less; the others run its worker threads. */
const startThread = process.env.PARLEY_TEST_STORE === "in-process" ? startInProcess : undefined;

/** Set to serve every test server by two nodes over one store, whose bus is unreliable. Clients use them in turn. */
export const isPair = process.env.PARLEY_TEST_NODES === "unreliable-pair";

/** The same faults in each run. */
const FAULTS_SEED = 1;

export class TestServer implements AsyncDisposable {
  readonly folder: string;
  readonly logged: Logged[] = [];
  readonly #options: TestServerOptions;
  readonly #passwords = cheapPasswords({ queue: 1000, queueOfOne: 1000 });
  readonly #clients: TestClient[] = [];
  #store: Store | undefined;
  #server: RunningServer | undefined;
  #port = 0;
  /** The second node, if there are two. */
  #second: RunningServer | undefined;
  #secondPort = 0;

  private constructor(folder: string, options: TestServerOptions) {
    this.folder = folder;
    this.#options = options;
  }

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(await mkdtemp(join(tmpdir(), "parley-test-")), options);
    await server.#open();
    await server.addUsers(options.users ?? []);
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get store(): Store {
    if (this.#store === undefined) throw new Error("the server is stopped");
    return this.#store;
  }

  get databaseFile(): string {
    return join(this.folder, "parley.db");
  }

  async addUsers(usernames: readonly string[]): Promise<void> {
    await this.store.accounts.importUsers(
      await Promise.all(
        usernames.map(async (username) => ({
          username,
          skeleton: skeleton(username),
          passwordHash: await this.#passwords.hash(passwordOf(username)),
          time: (this.#options.clock ?? systemClock).now(),
        })),
      ),
    );
  }

  /** A client that is not logged in. */
  anonymous(): TestClient {
    const isSecond = this.#second !== undefined && this.#clients.length % 2 === 1;
    const client = new TestClient(isSecond ? this.#secondPort : this.#port);
    this.#clients.push(client);
    return client;
  }

  /** A client that is logged in, on a new device unless one is given. */
  async logIn(username: string, device?: DeviceKey): Promise<TestClient> {
    const client = this.anonymous();
    await client.logIn(username, passwordOf(username), device);
    return client;
  }

  /** Stops the server, as SIGTERM does. */
  async stop(): Promise<void> {
    await Promise.all([this.#server?.stop(), this.#second?.stop()]);
    this.#server = undefined;
    this.#second = undefined;
    await this.#store?.[Symbol.asyncDispose]();
    this.#store = undefined;
  }

  /** Starts the server again on the same data and port. */
  async start(): Promise<void> {
    await this.#open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client[Symbol.dispose]();
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #open(): Promise<void> {
    const { users: _users, wrapStore, openStore, ...options } = this.#options;
    const opened = await (openStore ?? (() => openSqliteStore({ file: this.databaseFile, startThread })))();
    const store = (await wrapStore?.(opened)) ?? opened;
    const isTwo = isPair && openStore === undefined && options.bus === undefined;
    const bus = isTwo ? unreliableBus(FAULTS_SEED) : undefined;
    this.#store = isTwo ? await storeHandle(store, { close: true }) : store;
    this.#server = await this.#startNode(this.#store, this.#port, {
      ...options,
      ...(bus && { bus: bus.end(), nodeId: "one" }),
    });
    this.#port = this.#server.port;
    if (bus === undefined) return;
    const other = await storeHandle(store, { close: false });
    this.#second = await this.#startNode(other, this.#secondPort, {
      ...options,
      bus: bus.end(),
      nodeId: "other",
    });
    this.#secondPort = this.#second.port;
  }

  #startNode(store: Store, port: number, options: Partial<ServerOptions>): Promise<RunningServer> {
    return startServer({
      passwords: this.#passwords,
      signUp: "invite",
      version: "0.0.0",
      presenceGraceMs: 0,
      sessionLifetimeMs: 3_600_000,
      callRate: 1_000_000,
      introductionsPerMinute: 1_000_000,
      sessionsPerUser: 1_000,
      lock: "spare-known",
      lockDurationMs: 60_000,
      idleTimeoutMs: undefined,
      log: pino({ level: "info" }, { write: (line: string) => this.logged.push(JSON.parse(line) as Logged) }),
      ...options,
      store,
      // Clients of tests are refused more often than others, and their clock may stand still.
      listen: { host: "127.0.0.1", port, limits: { refusalsAtOnce: 1_000_000 } },
    });
  }
}

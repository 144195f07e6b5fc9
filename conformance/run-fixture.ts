// The fixture of a whole run: keeps the sessions of the three users at the server under test from check to check, and
// cleans up after each check.

import { AuthServiceService, type DeviceKey, type Grant } from "../gen/parley/chat/v1/auth_service.ts";
import { BlockServiceService } from "../gen/parley/chat/v1/block_service.ts";
import { ConnectError } from "../rpc/dialling/dial.ts";
import { RpcError } from "../rpc/status/status.ts";
import { delay } from "../time/wait.ts";
import type { Fixture, UserKey } from "./checks/check.ts";
import { Connection, type Server, withMethod } from "./client/connection.ts";
import { ONE_SESSION, present, Skip } from "./client/expect.ts";
import { Session } from "./client/session.ts";
import { type Users, userKeys } from "./users.ts";

/** How long to wait between attempts to connect to a server that is restarting, ms. */
const RETRY_MS = 100;
/** How long a restart may take, as a multiple of the patience. */
const RESTART_FACTOR = 3;

export interface RunFixtureOptions {
  readonly server: Server;
  readonly users: Users;
  /** Kills the server and starts it again, on the same data and address. It may resolve before the server is ready. */
  readonly restart?: (() => Promise<void>) | undefined;
}

export class RunFixture implements AsyncDisposable {
  readonly #options: RunFixtureOptions;
  readonly #kept = new Map<UserKey, Session>();
  /** The additional sessions of one check. */
  readonly #extra: Session[] = [];
  #welcome: Fixture["welcome"] | undefined;

  constructor(options: RunFixtureOptions) {
    this.#options = options;
  }

  /**
   * Restores the state before a check: the users are logged in, without blocks and open streams. @throws RpcError,
   * Failure
   */
  async prepare(): Promise<Fixture> {
    const [ann, ben, cat] = await Promise.all(userKeys.map((who) => this.#session(who)));
    if (ann === undefined || ben === undefined || cat === undefined) throw new Error("a user is missing");
    await this.#unblockAll();
    this.#welcome ??= await ann.open().next("welcome");
    ann.closeStreams();
    return {
      ann,
      ben,
      cat,
      welcome: this.#welcome,
      patienceMs: this.#options.server.patienceMs,
      logIn: (who, device) => this.#logIn(who, device),
      tryPassword: (username, password) => this.#tryPassword(username, password),
      restart: () => this.#restart(),
    };
  }

  /** Ends the additional sessions and all streams of a check. */
  async cleanUp(): Promise<void> {
    for (const session of this.#extra.splice(0)) {
      session.closeStreams();
      await logOut(session);
    }
    for (const session of this.#kept.values()) session.closeStreams();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanUp();
    for (const session of this.#kept.values()) await logOut(session);
    this.#kept.clear();
  }

  async #session(who: UserKey): Promise<Session> {
    const before = this.#kept.get(who);
    if (before !== undefined && !before.hasEnded) return before;
    before?.close();
    const session = await this.#open(who, undefined, false);
    this.#kept.set(who, session);
    return session;
  }

  async #logIn(who: UserKey, device: DeviceKey | undefined): Promise<Session> {
    try {
      const session = await this.#open(who, device, true);
      this.#extra.push(session);
      return session;
    } catch (error) {
      if (!(error instanceof RpcError && error.reason === "TOO_MANY_SESSIONS")) throw error;
      throw new Skip(ONE_SESSION);
    }
  }

  async #open(who: UserKey, device: DeviceKey | undefined, isAdditional: boolean): Promise<Session> {
    const connection = await Connection.open(this.#options.server);
    try {
      const request = { ...this.#options.users[who], device, client: undefined };
      const { grant } = await connection.unary(AuthServiceService.logIn, request, undefined);
      return new Session(
        this.#options.server,
        connection,
        present("LogInResponse.grant", grant),
        isAdditional,
      );
    } catch (error) {
      connection[Symbol.dispose]();
      const { username } = this.#options.users[who];
      throw error instanceof RpcError ? withMethod(error, `LogIn of ${username}`) : error;
    }
  }

  async #tryPassword(username: string, password: string): Promise<Grant | undefined> {
    using connection = await Connection.open(this.#options.server);
    const request = { username, password, device: undefined, client: undefined };
    return (await connection.unary(AuthServiceService.logIn, request, undefined)).grant;
  }

  /** Removes the blocks among the three users, but not their blocks of other users. */
  async #unblockAll(): Promise<void> {
    const names = new Set(userKeys.map((who) => this.#options.users[who].username));
    for (const session of this.#kept.values()) {
      for (const username of await session.blocks()) {
        if (names.has(username)) await session.call(BlockServiceService.unblockUser, { username });
      }
    }
  }

  async #restart(): Promise<void> {
    const { restart } = this.#options;
    if (restart === undefined) throw new Skip("no command to restart the server was given (--restart)");
    await restart();
    const backMs = RESTART_FACTOR * this.#options.server.patienceMs;
    for (const session of [...this.#kept.values(), ...this.#extra]) {
      await until(backMs, () => session.reconnect());
    }
  }
}

/** Tries to connect repeatedly, because no event announces that a server is ready. */
async function until(ms: number, connect: () => Promise<void>): Promise<void> {
  const end = performance.now() + ms;
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (!(error instanceof ConnectError) || performance.now() > end) throw error;
      await delay(RETRY_MS);
    }
  }
}

/** Logs out unless the session has ended. Errors of a lost connection are ignored. */
async function logOut(session: Session): Promise<void> {
  try {
    if (!session.hasEnded) await session.logOut();
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
  } finally {
    session.close();
  }
}

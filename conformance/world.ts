// The three users at the server under test, over a whole run: sessions that are kept from check to check, and what has to
// be put away after each.
import { setTimeout as sleep } from "node:timers/promises";
import { AuthServiceService, type DeviceKey, type Grant } from "../gen/parley/chat/v1/auth_service.ts";
import { BlockServiceService } from "../gen/parley/chat/v1/block_service.ts";
import { ConnectError } from "../rpc/dialling/dial.ts";
import { RpcError } from "../rpc/status/status.ts";
import type { Scene, Who } from "./checks/check.ts";
import { Connection, noted, type Server } from "./client/connection.ts";
import { ONE_SESSION, present, Skip } from "./client/expect.ts";
import { Session } from "./client/session.ts";
import { everyone, type People } from "./people.ts";

/** How long to wait before the next look at a server that is away, ms. */
const AGAIN_MS = 100;
/** How long it may be away: so many times as long as what a stream has to tell may take. */
const BACK_TIMES = 3;

export interface WorldOptions {
  readonly server: Server;
  readonly people: People;
  /** Kills the server and starts it again, on the same data and address; resolves once it serves, or before. */
  readonly restart?: (() => Promise<void>) | undefined;
}

export class World implements AsyncDisposable {
  readonly #options: WorldOptions;
  readonly #kept = new Map<Who, Session>();
  /** Those of one check. */
  readonly #extra: Session[] = [];
  #welcome: Scene["welcome"] | undefined;

  constructor(options: WorldOptions) {
    this.#options = options;
  }

  /** Everyone logged in, nobody blocked, no stream open. @throws RpcError, Failure */
  async prepare(): Promise<Scene> {
    const [ann, ben, cat] = await Promise.all(everyone.map((who) => this.#session(who)));
    if (ann === undefined || ben === undefined || cat === undefined) throw new Error("somebody is missing");
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

  /** Puts away what a check has left. */
  async tidy(): Promise<void> {
    for (const session of this.#extra.splice(0)) {
      session.closeStreams();
      await leave(session);
    }
    for (const session of this.#kept.values()) session.closeStreams();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tidy();
    for (const session of this.#kept.values()) await leave(session);
    this.#kept.clear();
  }

  async #session(who: Who): Promise<Session> {
    const before = this.#kept.get(who);
    if (before !== undefined && !before.isOver) return before;
    before?.close();
    const session = await this.#open(who, undefined, false);
    this.#kept.set(who, session);
    return session;
  }

  async #logIn(who: Who, device: DeviceKey | undefined): Promise<Session> {
    try {
      const session = await this.#open(who, device, true);
      this.#extra.push(session);
      return session;
    } catch (error) {
      if (!(error instanceof RpcError && error.reason === "TOO_MANY_SESSIONS")) throw error;
      throw new Skip(ONE_SESSION);
    }
  }

  async #open(who: Who, device: DeviceKey | undefined, isFurther: boolean): Promise<Session> {
    const connection = await Connection.open(this.#options.server);
    try {
      const request = { ...this.#options.people[who], device, client: undefined };
      const { grant } = await connection.unary(AuthServiceService.logIn, request, undefined);
      return new Session(this.#options.server, connection, present("LogInResponse.grant", grant), isFurther);
    } catch (error) {
      connection[Symbol.dispose]();
      const { username } = this.#options.people[who];
      throw error instanceof RpcError ? noted(error, `LogIn of ${username}`) : error;
    }
  }

  async #tryPassword(username: string, password: string): Promise<Grant | undefined> {
    using connection = await Connection.open(this.#options.server);
    const request = { username, password, device: undefined, client: undefined };
    return (await connection.unary(AuthServiceService.logIn, request, undefined)).grant;
  }

  /** Only among the three: whom else they block is none of the kit's business. */
  async #unblockAll(): Promise<void> {
    const names = new Set(everyone.map((who) => this.#options.people[who].username));
    for (const session of this.#kept.values()) {
      for (const username of await session.blocks()) {
        if (names.has(username)) await session.call(BlockServiceService.unblockUser, { username });
      }
    }
  }

  async #restart(): Promise<void> {
    const { restart } = this.#options;
    if (restart === undefined) throw new Skip("nobody has said how to restart the server (--restart)");
    await restart();
    const backMs = BACK_TIMES * this.#options.server.patienceMs;
    for (const session of [...this.#kept.values(), ...this.#extra]) {
      await until(backMs, () => session.reconnect());
    }
  }
}

/** Nothing tells when a server is there again, so it is asked. */
async function until(ms: number, connect: () => Promise<void>): Promise<void> {
  const end = performance.now() + ms;
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (!(error instanceof ConnectError) || performance.now() > end) throw error;
      await sleep(AGAIN_MS);
    }
  }
}

/** Its connection may be gone, or its session: then there is nothing to leave. */
async function leave(session: Session): Promise<void> {
  try {
    if (!session.isOver) await session.logOut();
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
  } finally {
    session.close();
  }
}

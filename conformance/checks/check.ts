// The types of a check and of the fixture that it runs with.
import type { DeviceKey, Grant } from "../../gen/parley/chat/v1/auth_service.ts";
import type { Welcome } from "../../gen/parley/chat/v1/event.ts";
import type { Session } from "../client/session.ts";

/** The keys of the three users; their names on the server are different. */
export type UserKey = "ann" | "ben" | "cat";

export interface Fixture {
  readonly ann: Session;
  readonly ben: Session;
  readonly cat: Session;
  /** The Welcome of the first stream: the limits of the server, and the id of the broadcast conversation. */
  readonly welcome: Welcome;
  /** How long an event or an answer may take to arrive, ms. */
  readonly patienceMs: number;
  /** Logs a user in again, on a new device unless one is given. @throws Skip if the server allows no more sessions */
  logIn(who: UserKey, device?: DeviceKey): Promise<Session>;
  /** Logs in with any name and password. @throws RpcError */
  tryPassword(username: string, password: string): Promise<Grant | undefined>;
  /** Kills the server and starts it again. @throws Skip if no command to do so was given */
  restart(): Promise<void>;
}

export interface Check {
  /** The name of the check, GROUP.NAME. */
  readonly name: string;
  /** What a server does that passes the check, as one sentence without a full stop. */
  readonly says: string;
  /** The place in the contract: "FILE.proto: Message.field", or a heading of a page of docs/. */
  readonly contract: string;
  /** @throws Failure, Skip */
  readonly run: (fixture: Fixture) => Promise<void>;
}

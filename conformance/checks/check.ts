// What one check is, and what it has to play with.
import type { DeviceKey, Grant } from "../../gen/parley/chat/v1/auth_service.ts";
import type { Welcome } from "../../gen/parley/chat/v1/event.ts";
import type { Session } from "../client/session.ts";

/** The three users; what they are called on the server is another matter. */
export type Who = "ann" | "ben" | "cat";

export interface Scene {
  readonly ann: Session;
  readonly ben: Session;
  readonly cat: Session;
  /** What the server told ann when the run began: its limits, and the id of the broadcast conversation. */
  readonly welcome: Welcome;
  /** How long what the server has to tell may take to come, ms. */
  readonly patienceMs: number;
  /** One more session of a user, on a new device unless one is given. @throws Skip where the server allows no more */
  logIn(who: Who, device?: DeviceKey): Promise<Session>;
  /** A log-in with another password. @throws RpcError */
  tryPassword(username: string, password: string): Promise<Grant | undefined>;
  /** The server is killed and started again. @throws Skip where nobody has said how */
  restart(): Promise<void>;
}

export interface Check {
  /** GROUP.NAME. */
  readonly name: string;
  /** What a server does that passes, as one sentence without a full stop. */
  readonly says: string;
  /** Where the contract asks for it: "FILE.proto: Message.field", or a heading of a page of docs/. */
  readonly contract: string;
  /** @throws Failure, Skip */
  readonly run: (scene: Scene) => Promise<void>;
}

// The users and the server that tests pass to the kit.
import type { Server } from "../../conformance/client/connection.ts";
import type { Users } from "../../conformance/users.ts";
import { passwordOf } from "../support/server.ts";

export const usernames = ["ann", "ben", "cat"] as const;

export const users: Users = {
  ann: { username: "ann", password: passwordOf("ann") },
  ben: { username: "ben", password: passwordOf("ben") },
  cat: { username: "cat", password: passwordOf("cat") },
};

export function plaintextServer(port: number, patienceMs = 20_000): Server {
  return { address: `127.0.0.1:${port}`, trust: { kind: "plaintext" }, patienceMs };
}

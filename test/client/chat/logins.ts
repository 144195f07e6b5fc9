// What tests of the whole chat look up: who is logged in, whether a login is stored, and whether a server answers.
import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "vitest";
import { State } from "../../../client/state/state.ts";
import type { TestServer } from "../../support/server.ts";

/** The names of the users who have a session on the server, sorted. */
export async function loggedInUsers(server: TestServer): Promise<string[]> {
  const { accounts } = server.store;
  const sessions = await accounts.liveSessions(0, 100, Date.now());
  const users = await accounts.usersById(sessions.map(({ userId }) => userId));
  return users.map(({ username }) => username).toSorted();
}

/** Whether the state folder has a login of the user who was signed in last. */
export function isLoginStored(folder: string): boolean {
  using state = new State(folder, { onProblem: (error) => expect.fail(error.message) });
  return state.profiles.find()?.session !== undefined;
}

/** Whether a server listens at that address of this machine. */
export async function answersAt(address: string): Promise<boolean> {
  const socket = connect(Number(address.split(":").at(-1)), "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

// A device listens for peers only while a peer may connect directly.
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestServer } from "../support/server.ts";
import { openChat, PrivateUser } from "./private-user.ts";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ users: ["luke", "yoda"], sessionsPerUser: 99 });
});
afterAll(() => server[Symbol.asyncDispose]());

/** Whether a program on this machine can connect to the port. */
async function isOpen(port: number | undefined): Promise<boolean> {
  if (port === undefined) return false;
  const socket = connect({ port, host: "127.0.0.1" });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  const opened = await promise;
  socket.destroy();
  return opened;
}

test("a device listens from the acceptance of a direct path until the peer has connected", async () => {
  await using luke = await PrivateUser.logIn(server.port, "luke");
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  expect(yoda.chats.port).toBeUndefined();
  await openChat(luke, yoda, { direct: true });
  expect(yoda.chats.openChats).toMatchObject([{ path: "direct" }]);
  expect(yoda.chats.port).toBeDefined();
  await expect.poll(() => isOpen(yoda.chats.port)).toBe(false);
  luke.chats.send("yoda", "still open");
  expect(await yoda.receives("luke", 1)).toEqual(["still open"]);
  // The one that asks never listens.
  expect(luke.chats.port).toBeUndefined();
});

test("a device listens while the peer has not connected, and no longer when the acceptance is withdrawn", async () => {
  await using luke = await PrivateUser.logIn(server.port, "luke");
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  // A caller that does not connect.
  const steps = luke.chats.calls.introduce({ username: "yoda", direct: true }, new AbortController().signal);
  const asked = steps.next();
  await yoda.next("requested");
  await asked;
  await yoda.chats.answer("luke", "accept", { direct: true });
  expect(await isOpen(yoda.chats.port)).toBe(true);
  await yoda.chats.stop("luke");
  await expect.poll(() => isOpen(yoda.chats.port)).toBe(false);
  await steps.return(undefined);
});

test("a device does not listen for a chat through the relay", async () => {
  await using luke = await PrivateUser.logIn(server.port, "luke");
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  await luke.chats.start("yoda", { direct: false });
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept", { direct: true });
  await Promise.all([luke.next("opened"), yoda.next("opened")]);
  expect(yoda.chats.port).toBeUndefined();
});

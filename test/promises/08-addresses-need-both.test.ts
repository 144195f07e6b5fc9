// Promise 8: a device's address goes to a contact only when both sides agreed to a direct path. Everything that the server
// sends to the one who asks is searched for the address of the one who answers.
import { expect, test } from "vitest";
import { PrivateUser } from "../private/private-user.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { TestServer } from "../support/server.ts";

test.each([
  [true, true, true],
  [true, false, false],
  [false, true, false],
  [false, false, false],
])("asked with direct %s, answered with direct %s: told %s", async (asks, answers, isTold) => {
  await using server = await TestServer.start({ users: ["luke", "yoda"] });
  await using wire = await RecordingProxy.before(server.port);
  await using luke = await PrivateUser.logIn(wire.port, "luke");
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  await luke.chats.start("yoda", { direct: asks });
  expect((await yoda.next("requested")).direct).toBe(asks);
  await yoda.chats.answer("luke", "accept", { direct: answers });
  await Promise.all([luke.next("opened"), yoda.next("opened")]);
  const path = isTold ? "direct" : "relayed";
  expect([luke.chats.openChats, yoda.chats.openChats]).toMatchObject([
    [{ username: "yoda", path }],
    [{ username: "luke", path }],
  ]);
  expect(wire.down.includes(`:${yoda.chats.port}`)).toBe(isTold);
});

// Promise 8: a contact receives a device's address only if both sides agreed to a direct path. The test searches all bytes that
// the server sends to the caller for the address of the callee.
import { expect, test } from "vitest";
import { PrivateUser } from "../private/private-user.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { TestServer } from "../support/server.ts";

test.each([
  [true, true, true],
  [true, false, false],
  [false, true, false],
  [false, false, false],
])(
  "caller allows a direct path: %s, callee: %s; address is sent: %s",
  async (callerAllows, calleeAllows, isSent) => {
    await using server = await TestServer.start({ users: ["luke", "yoda"] });
    await using proxy = await RecordingProxy.start(server.port);
    await using luke = await PrivateUser.logIn(proxy.port, "luke");
    await using yoda = await PrivateUser.logIn(server.port, "yoda");
    await luke.chats.start("yoda", { direct: callerAllows });
    expect((await yoda.next("requested")).direct).toBe(callerAllows);
    await yoda.chats.answer("luke", "accept", { direct: calleeAllows });
    await Promise.all([luke.next("opened"), yoda.next("opened")]);
    const path = isSent ? "direct" : "relayed";
    expect([luke.chats.openChats, yoda.chats.openChats]).toMatchObject([
      [{ username: "yoda", path }],
      [{ username: "luke", path }],
    ]);
    expect(proxy.fromServer.includes(`:${yoda.chats.port}`)).toBe(isSent);
  },
);

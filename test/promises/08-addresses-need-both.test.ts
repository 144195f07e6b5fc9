// Promise 8: a contact receives a device's address only if both sides agreed to a direct path. The test searches all bytes that
// the server sends to the caller for the address of the callee.
import { expect, test } from "vitest";
import { Home } from "../client/cli/parley.ts";
import { Running } from "../client/cli/private-people.ts";
import { PrivateUser } from "../private/private-user.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { passwordOf, TestServer } from "../support/server.ts";

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

test.each([
  [true, "direct"],
  [false, "relayed"],
] as const)(
  "the original's command line is the agreement of its side; the caller allows a direct path: %s, the path is %s",
  async (callerAllows, path) => {
    await using server = await TestServer.start({ users: ["luke", "yoda"] });
    await using proxy = await RecordingProxy.start(server.port);
    await using luke = await PrivateUser.logIn(proxy.port, "luke");
    await using home = await Home.make();
    const yoda = new Running(home.start("127.0.0.1", String(server.port), "--plaintext", "--plain"));
    yoda.say("yoda", passwordOf("yoda"));
    await yoda.prints("Private chats go directly from device to device if the other user agrees");
    await yoda.prints("Logged in as yoda.");
    const before = proxy.fromServer.length;
    await luke.chats.start("yoda", { direct: callerAllows });
    expect((await luke.next("opened")).path).toBe(path);
    expect(/127\.0\.0\.1:\d/.test(proxy.fromServer.subarray(before).toString("latin1"))).toBe(callerAllows);
    yoda.say("logout");
    await yoda.ended;
  },
);

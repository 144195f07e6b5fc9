// Scenes of the time-out: who gives no command for a while is logged out, and what counts as a command. Where something
// does not count is shown by a second session that did nothing: both end in the order of their last command.
import { expect, test } from "vitest";
import { RpcError } from "../../rpc/status.ts";
import { reasonOf, type TestClient, type TestStream } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { comes, goes } from "./presence-seen.ts";

const TIMEOUT_MS = 700;
const people = ["hans", "yoda", "vader", "leia"];

function start(options: Parameters<typeof TestServer.start>[0] = {}): Promise<TestServer> {
  return TestServer.start({ users: people, idleTimeoutMs: TIMEOUT_MS, ...options });
}

async function online(
  server: TestServer,
  name: string,
): Promise<{ readonly client: TestClient; readonly stream: TestStream }> {
  const client = await server.logIn(name);
  return { client, stream: await client.connect().caughtUp() };
}

/** Does something every tenth of the time-out until the given session has ended. */
async function whileOthersEnd(
  ended: Promise<unknown>,
  work: () => Promise<unknown> | unknown,
): Promise<void> {
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  while (!isOver) {
    // At the very end the session may be over, and its end not here yet.
    await Promise.resolve(work()).catch((error: unknown) => {
      if (!(error instanceof RpcError && error.reason === "TOKEN_INVALID")) throw error;
    });
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS / 10))]);
  }
}

test("who gives no command is logged out with the reason, others see a log-out, and the token is dead", async () => {
  await using server = await start({ presenceGraceMs: 3_600_000 });
  const yoda = await online(server, "yoda");
  const hans = await online(server, "hans");
  await comes(yoda.stream, "hans");
  const gone = goes(yoda.stream, "hans");
  await whileOthersEnd(hans.stream.ended, () => yoda.client.whoelse());
  expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
  await gone;
  expect(await reasonOf(hans.client.whoelse())).toBe("TOKEN_INVALID");
  expect(await yoda.client.whoelse()).toEqual([]);
});

test("receiving does not count: messages, broadcasts, presence", async () => {
  await using server = await start();
  const yoda = await online(server, "yoda");
  const hans = await online(server, "hans");
  await whileOthersEnd(hans.stream.ended, () => yoda.client.send("hans", "are you there?"));
  expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
  expect(hans.stream.all("entryAppended").length).toBeGreaterThan(2);
});

// If one of these counted, its session would never end, nor would the test.
test.each<[string, (client: TestClient, stream: TestStream) => Promise<unknown> | unknown]>([
  [
    "markers",
    (_, stream) => {
      const marker = { conversationId: "c1", deliveredSeq: 0n, readSeq: 0n };
      stream.write({ kind: { $case: "setMarkers", value: { markers: [marker] } } });
    },
  ],
  [
    "typing",
    (_, stream) => {
      const target = { target: { $case: "username", value: "vader" } } as const;
      stream.write({ kind: { $case: "setTyping", value: { target, typing: true } } });
    },
  ],
  [
    "typing by a call",
    (client) => {
      const target = { target: { $case: "username", value: "vader" } } as const;
      return client.unary(client.chat, client.chat.setTyping, { target, typing: true });
    },
  ],
  [
    "a resume",
    async (client) => {
      using stream = client.connect();
      await stream.caughtUp();
    },
  ],
  [
    "a list in the background",
    (client) => {
      const request = { onlineWithin: undefined, pageSize: 0, pageToken: "", background: true };
      return client.unary(client.directory, client.directory.listUsers, request);
    },
  ],
  ["history in the background", (client) => client.said("vader")],
  ["a send that is refused", (client) => reasonOf(client.send("nobody", "hello"))],
  ["a send that is refused on a stream", (_, stream) => stream.send("hans", "to myself")],
  ["a block that is refused", (client) => reasonOf(client.block("nobody"))],
  ["a command that is none", (_, stream) => stream.write({ kind: undefined })],
  ["the repeat of an earlier send", (client) => client.send("vader", "once", 77n)],
])("%s does not count", async (_, work) => {
  await using server = await start();
  const hans = await online(server, "hans");
  await hans.client.send("vader", "once", 77n);
  await whileOthersEnd(hans.stream.ended, () => work(hans.client, hans.stream));
  expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
});

test.each<[string, (client: TestClient, stream: TestStream) => Promise<unknown> | unknown]>([
  ["a message", (client) => client.send("vader", "hello")],
  ["a message on a stream", (_, stream) => stream.send("vader", "hello")],
  ["a broadcast", (client) => client.broadcast("hello")],
  ["whoelse", (client) => client.whoelse()],
  ["a block and its end", (client) => client.block("vader").then(() => client.unblock("vader"))],
  [
    "reported activity, as of a private chat",
    (_, stream) => stream.write({ kind: { $case: "reportActivity", value: {} } }),
  ],
  ["reported activity by a call", (client) => client.unary(client.chat, client.chat.reportActivity, {})],
])("%s counts: who did nothing is out first", async (_, work) => {
  await using server = await start();
  const hans = await online(server, "hans");
  const idle = await online(server, "yoda");
  let hansIsOut = false;
  void hans.stream.ended.then(() => {
    hansIsOut = true;
  });
  await whileOthersEnd(idle.stream.ended, () => work(hans.client, hans.stream));
  expect((await idle.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
  expect(hansIsOut).toBe(false);
});

test("each session has its own clock: another device of the same user goes on", async () => {
  await using server = await start();
  const desk = await online(server, "hans");
  const phone = await online(server, "hans");
  const yoda = await online(server, "yoda");
  await whileOthersEnd(phone.stream.ended, async () => {
    await desk.client.whoelse();
    await yoda.client.whoelse();
  });
  expect(await yoda.client.whoelse()).toEqual(["hans"]);
});

test("it ends a session without a stream as well, and fires for nobody who is not logged in", async () => {
  await using server = await start();
  const hans = await server.logIn("hans");
  const anonymous = server.anonymous();
  const stream = anonymous.connect(null);
  // Answered at once, as always: a time-out before the log-in would say something else.
  expect((await stream.ended)?.reason).toBe("TOKEN_MISSING");
  await expect
    .poll(() => reasonOf(hans.unary(hans.chat, hans.chat.setTyping, typingToVader)), { timeout: 5_000 })
    .toBe("TOKEN_INVALID");
});

const typingToVader = {
  target: { target: { $case: "username", value: "vader" } },
  typing: false,
} as const;

test("after a restart the clocks begin anew, for sessions from before as well", async () => {
  await using server = await start();
  const hans = await server.logIn("hans");
  await server.stop();
  await server.start();
  const { ended } = await hans.connect().caughtUp();
  expect((await ended)?.reason).toBe("SESSION_TIMED_OUT");
});

test("Welcome says how long it is, and nothing where there is none", async () => {
  await using server = await start();
  const { limits } = await (await server.logIn("hans")).connect().next("welcome");
  expect(limits?.idleTimeout).toEqual({ seconds: 0n, nanos: 700_000_000 });
  await using without = await TestServer.start({ users: people });
  const welcome = await (await without.logIn("hans")).connect().next("welcome");
  expect(welcome.limits?.idleTimeout).toBeUndefined();
});

// Scenarios of the time-out: who gives no command for a while is logged out, and what counts as a command. What does
// not count is done all the time by somebody who is out nonetheless; what counts, beside somebody idle who is out first.
import { describe, expect, test } from "vitest";
import { RpcError } from "../../rpc/status/status.ts";
import { reasonOf, TestClient, textOf } from "../support/client.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { type Online, online } from "./online.ts";
import { comes, goes, toldOf } from "./presence-seen.ts";
import { type Here, transports } from "./transports.ts";
import { Wire } from "./wire.ts";

const TIMEOUT_MS = 1_000;
/** What a session that is over is told, by a call and at the end of a stream. */
const OVER: ReadonlySet<string> = new Set(["TOKEN_INVALID", "SESSION_TIMED_OUT"]);
const people = ["hans", "yoda", "vader", "leia"];

function start(options: Parameters<typeof TestServer.start>[0] = {}): Promise<TestServer> {
  return TestServer.start({ users: people, idleTimeoutMs: TIMEOUT_MS, ...options });
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
      if (!(error instanceof RpcError && OVER.has(error.reason))) throw error;
    });
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS / 10))]);
  }
}

/** Somebody who works while another is idle outlives that one, with token and stream. */
async function isOutFirst<Someone extends Online>(
  server: TestServer,
  enter: (server: TestServer, name: string) => Promise<Someone>,
  work: (hans: Someone) => Promise<unknown>,
): Promise<void> {
  const hans = await enter(server, "hans");
  const idle = await enter(server, "yoda");
  await whileOthersEnd(idle.stream.ended, () => work(hans));
  expect((await idle.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
  // The token is still good, and so is the stream. That somebody is gone is stored a moment after the end is told.
  await expect.poll(() => hans.client.whoelse()).toEqual([]);
  await (await server.logIn("leia")).send("hans", "still you?");
  expect(await hans.stream.next("entryAppended", (one) => textOf(one) === "still you?")).toBeDefined();
}

describe.each(transports)("through $name", ({ here, open }) => {
  test("who gives no command is logged out with the reason, others see a log-out, and the token is dead", async () => {
    await using server = await start({ presenceGraceMs: 3_600_000 });
    const yoda = await here(server, "yoda");
    const hans = await here(server, "hans");
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
    const yoda = await here(server, "yoda");
    const leia = await server.logIn("leia");
    const hans = await here(server, "hans");
    await whileOthersEnd(hans.stream.ended, async () => {
      await yoda.send("hans", "are you there?");
      await yoda.broadcast("is anybody?");
      // Comes, gives a command, and is gone.
      using _here = await open(leia).caughtUp();
      await leia.whoelse();
    });
    expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
    const texts = hans.stream.all("entryAppended").map(textOf);
    expect(new Set(texts)).toEqual(new Set(["are you there?", "is anybody?"]));
    expect(texts.length).toBeGreaterThan(4);
    expect(toldOf(hans.stream, "leia").length).toBeGreaterThan(1);
  });

  test("markers do not count, however often they rise", async () => {
    await using server = await start();
    const hans = await here(server, "hans");
    const vader = await server.logIn("vader");
    const { conversationId } = await vader.send("hans", "read this");
    const marked: bigint[] = [];
    await whileOthersEnd(hans.stream.ended, async () => {
      const { seq } = await vader.send("hans", "and this");
      await hans.mark({ conversationId, deliveredSeq: seq, readSeq: seq - 1n });
      await hans.mark({ conversationId, deliveredSeq: seq, readSeq: seq });
      marked.push(seq);
    });
    expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
    expect(marked.length).toBeGreaterThan(2);
    expect(hans.stream.all("refused")).toEqual([]);
  });

  // If one of these counted, its session would never end, nor would the test.
  test.each<[string, (hans: Here) => Promise<unknown>]>([
    ["typing", (hans) => hans.type("vader")],
    [
      "a resume",
      async ({ client }) => {
        using stream = open(client);
        await stream.caughtUp().catch(async (error: unknown) => {
          throw (await stream.ended) ?? error;
        });
      },
    ],
    ["a send that is refused", (hans) => reasonOf(hans.send("nobody", "hello"))],
    ["a send to oneself", (hans) => reasonOf(hans.send("hans", "to myself"))],
    ["a broadcast that is refused", (hans) => reasonOf(hans.broadcast(""))],
    ["the repeat of an earlier send", (hans) => hans.send("vader", "once", 77n)],
  ])("%s does not count", async (_, work) => {
    await using server = await start();
    const hans = await here(server, "hans");
    await hans.send("vader", "once", 77n);
    await whileOthersEnd(hans.stream.ended, () => work(hans));
    expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
  });

  test.each<[string, (hans: Here) => Promise<unknown>]>([
    ["a message", (hans) => hans.send("vader", "hello")],
    ["a broadcast", (hans) => hans.broadcast("hello")],
    ["reported activity, as of a private chat", (hans) => hans.act()],
  ])("%s counts: who did nothing is out first", async (_, work) => {
    await using server = await start();
    await isOutFirst(server, here, work);
  });

  test("each session has its own clock: another device of the same user goes on", async () => {
    await using server = await start();
    const context = await here(server, "hans");
    const phone = await here(server, "hans");
    const yoda = await here(server, "yoda");
    await whileOthersEnd(phone.stream.ended, async () => {
      await context.client.whoelse();
      await yoda.client.whoelse();
    });
    expect(await yoda.client.whoelse()).toEqual(["hans"]);
  });

  test("who times out on every device is told as gone once, and not before the last", async () => {
    await using server = await start();
    const yoda = await here(server, "yoda");
    const context = await here(server, "hans");
    await comes(yoda.stream, "hans");
    const phone = await here(server, "hans");
    await whileOthersEnd(context.stream.ended, async () => {
      await yoda.client.whoelse();
      await phone.client.whoelse();
    });
    expect(await yoda.client.whoelse()).toEqual(["hans"]);
    expect(toldOf(yoda.stream, "hans")).toEqual(["in"]);
    await whileOthersEnd(phone.stream.ended, () => yoda.client.whoelse());
    await goes(yoda.stream, "hans");
    expect(toldOf(yoda.stream, "hans")).toEqual(["in", "out"]);
  });

  test("where no time-out is set nobody is timed out: who was idle longer than somebody elsewhere goes on", async () => {
    await using without = await TestServer.start({ users: people });
    const hans = await here(without, "hans");
    await using server = await start();
    const yoda = await here(server, "yoda");
    expect((await yoda.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
    expect(await hans.broadcast("I am still here")).toMatchObject({ seq: 1n });
  });

  test("after a restart the clocks begin anew, for sessions from before as well", async () => {
    await using server = await start();
    const hans = await server.logIn("hans");
    await server.stop();
    await server.start();
    const { ended } = await open(hans).caughtUp();
    expect((await ended)?.reason).toBe("SESSION_TIMED_OUT");
  });

  test("Welcome says how long it is, and nothing where there is none", async () => {
    await using server = await start();
    const { limits } = await open(await server.logIn("hans")).next("welcome");
    expect(limits?.idleTimeout).toEqual({ seconds: 1n, nanos: 0 });
    await using without = await TestServer.start({ users: people });
    const welcome = await open(await without.logIn("hans")).next("welcome");
    expect(welcome.limits?.idleTimeout).toBeUndefined();
  });
});

// Calls of the other services, and a command that is none: these have one transport.
test.each<[string, (hans: Online) => Promise<unknown> | unknown]>([
  [
    "a list in the background",
    ({ client }) => {
      const request = { onlineWithin: undefined, pageSize: 0, pageToken: "", background: true };
      return client.unary(client.directory, client.directory.listUsers, request);
    },
  ],
  ["history in the background", ({ client }) => client.said("vader")],
  ["a list that is refused", ({ client }) => reasonOf(client.whoelse(-1))],
  ["a block that is refused", ({ client }) => reasonOf(client.block("nobody"))],
  ["a command that is none", ({ stream }) => stream.write({ kind: undefined })],
])("%s does not count", async (_, work) => {
  await using server = await start();
  const hans = await online(server, "hans");
  await whileOthersEnd(hans.stream.ended, () => work(hans));
  expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
});

test.each<[string, (hans: Online) => Promise<unknown>]>([
  ["whoelse", ({ client }) => client.whoelse()],
  [
    "reading the history",
    ({ client }) => {
      const target = { target: { $case: "username", value: "vader" } } as const;
      const range = { fromSeq: 0n, toSeq: 0n, order: 0 as const, pageSize: 0, pageToken: "" };
      const request = { target, ...range, background: false };
      return client.unary(client.history, client.history.listMessages, request);
    },
  ],
  [
    "the list of one's sessions",
    ({ client }) => client.unary(client.auth, client.auth.listSessions, { pageSize: 0, pageToken: "" }),
  ],
  ["a block and its end", ({ client }) => client.block("vader").then(() => client.unblock("vader"))],
])("%s counts: who did nothing is out first", async (_, work) => {
  await using server = await start();
  await isOutFirst(server, online, work);
});

// No stream is in these.
test("a connection that has not logged in is left alone, however long it says nothing", async () => {
  await using server = await start();
  using wire = await Wire.to(server.port);
  using slow = new TestClient(wire.port);
  expect(await reasonOf(slow.whoelse())).toBe("TOKEN_MISSING");
  const hans = await online(server, "hans");
  expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
  // Longer here than the time-out lasts, and only now at the log-in: over the same connection.
  await slow.logIn("yoda", passwordOf("yoda"));
  await slow.connect().caughtUp();
  await expect.poll(() => slow.whoelse()).toEqual([]);
  expect(wire.connections).toBe(1);
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

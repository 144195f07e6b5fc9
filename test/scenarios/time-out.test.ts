// Scenarios of the idle time-out: a session without a command is logged out, and what counts as a command. The tests advance
// the server's clock by a tenth of the time-out after each round of work, so an idle session ends in the tenth round.
import { describe, expect, test } from "vitest";
import { RpcError } from "../../rpc/status/status.ts";
import { reasonOf, TestClient, textOf } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { advanceUntil } from "../support/passing-time.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { connectUser, type Online } from "./connect-user.ts";
import { presenceEventsOf, waitUntilOffline, waitUntilOnline } from "./presence-events.ts";
import { TcpProxy } from "./tcp-proxy.ts";
import { type OnlineUser, transports } from "./transports.ts";

const TIMEOUT_MS = 60_000;
const STEP_MS = TIMEOUT_MS / 10;
/** The reasons of calls and streams of a session that has fixture out. */
const ENDED: ReadonlySet<string> = new Set(["TOKEN_INVALID", "SESSION_TIMED_OUT"]);
const people = ["hans", "yoda", "vader", "leia"];

interface Fixture extends AsyncDisposable {
  readonly server: TestServer;
  /** Advances the clock until the promise settles, and does the work before each step. */
  readonly advanceUntil: <T>(promise: Promise<T>, work?: () => Promise<unknown> | unknown) => Promise<T>;
}

async function start(options: Parameters<typeof TestServer.start>[0] = {}): Promise<Fixture> {
  const clock = new ManualClock();
  const server = await TestServer.start({ users: people, idleTimeoutMs: TIMEOUT_MS, clock, ...options });
  return {
    server,
    advanceUntil: (promise, work) =>
      advanceUntil(promise, { server, clock, stepMs: STEP_MS }, async () => {
        // In the last step the session may have ended before the client receives its end.
        await Promise.resolve(work?.()).catch((error: unknown) => {
          if (!(error instanceof RpcError && ENDED.has(error.reason))) throw error;
        });
      }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Checks that a user who works keeps the token and the stream when an idle user times out. */
async function outlivesIdle<User extends Online>(
  { server, advanceUntil }: Fixture,
  goOnline: (server: TestServer, name: string) => Promise<User>,
  work: (hans: User) => Promise<unknown>,
): Promise<void> {
  const hans = await goOnline(server, "hans");
  const idle = await goOnline(server, "yoda");
  const ending = await advanceUntil(idle.stream.ended, () => work(hans));
  expect(ending?.reason).toBe("SESSION_TIMED_OUT");
  // The stream ends before it is stored that the user is offline.
  await expect.poll(() => hans.client.whoelse()).toEqual([]);
  await (await server.logIn("leia")).send("hans", "still you?");
  expect(
    await hans.stream.next("entryAppended", (appended) => textOf(appended) === "still you?"),
  ).toBeDefined();
}

describe.each(transports)("through $name", ({ online, open }) => {
  test("a user without a command is logged out: the stream ends with the reason, others see a log-out, and the token is refused", async () => {
    await using fixture = await start({ presenceGraceMs: 3_600_000 });
    const { server, advanceUntil } = fixture;
    const yoda = await online(server, "yoda");
    const hans = await online(server, "hans");
    await advanceUntil(waitUntilOnline(yoda.stream, "hans"), () =>
      yoda.client.whoelse().then(() => hans.client.whoelse()),
    );
    const gone = waitUntilOffline(yoda.stream, "hans");
    await advanceUntil(hans.stream.ended, () => yoda.client.whoelse());
    expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
    await advanceUntil(gone, () => yoda.client.whoelse());
    expect(await reasonOf(hans.client.whoelse())).toBe("TOKEN_INVALID");
    expect(await yoda.client.whoelse()).toEqual([]);
  });

  test("received messages, broadcasts and presence events do not count", async () => {
    await using fixture = await start();
    const { server, advanceUntil } = fixture;
    const yoda = await online(server, "yoda");
    const leia = await server.logIn("leia");
    const hans = await online(server, "hans");
    await advanceUntil(hans.stream.ended, async () => {
      await yoda.send("hans", "are you there?");
      await yoda.broadcast("are you all there?");
      // leia goes online, sends a command, and goes offline.
      using _stream = await open(leia).caughtUp();
      await leia.whoelse();
    });
    expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
    const texts = hans.stream.all("entryAppended").map(textOf);
    expect(new Set(texts)).toEqual(new Set(["are you there?", "are you all there?"]));
    expect(texts.length).toBeGreaterThan(4);
    expect(presenceEventsOf(hans.stream, "leia").length).toBeGreaterThan(1);
  });

  test("markers do not count", async () => {
    await using fixture = await start();
    const { server, advanceUntil } = fixture;
    const hans = await online(server, "hans");
    const vader = await server.logIn("vader");
    const { conversationId } = await vader.send("hans", "read this");
    const marked: bigint[] = [];
    await advanceUntil(hans.stream.ended, async () => {
      const { seq } = await vader.send("hans", "and this");
      await hans.setMarker({
        conversationId,
        deliveredSeq: seq,
        readSeq: seq - 1n,
        deliveredTime: undefined,
        readTime: undefined,
      });
      await hans.setMarker({
        conversationId,
        deliveredSeq: seq,
        readSeq: seq,
        deliveredTime: undefined,
        readTime: undefined,
      });
      marked.push(seq);
    });
    expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
    expect(marked.length).toBeGreaterThan(2);
    expect(hans.stream.all("refused")).toEqual([]);
  });

  // If one of these counted, the session would not end, and the test would fail.
  test.each<[string, (hans: OnlineUser) => Promise<unknown>]>([
    ["typing", (hans) => hans.setTyping("vader")],
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
    ["a repeated send", (hans) => hans.send("vader", "once", 77n)],
  ])("%s does not count", async (_, work) => {
    await using fixture = await start();
    const { server, advanceUntil } = fixture;
    const hans = await online(server, "hans");
    await hans.send("vader", "once", 77n);
    await advanceUntil(hans.stream.ended, () => work(hans));
    expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
  });

  test.each<[string, (hans: OnlineUser) => Promise<unknown>]>([
    ["a message", (hans) => hans.send("vader", "hello")],
    ["a broadcast", (hans) => hans.broadcast("hello")],
    ["reported activity, as for a private chat,", (hans) => hans.reportActivity()],
  ])("%s counts: the session outlives one without it", async (_, work) => {
    await using fixture = await start();
    await outlivesIdle(fixture, online, work);
  });

  test("each session has its own time-out: another device of the same user stays logged in", async () => {
    await using fixture = await start();
    const { server, advanceUntil } = fixture;
    const desktop = await online(server, "hans");
    const phone = await online(server, "hans");
    const yoda = await online(server, "yoda");
    await advanceUntil(phone.stream.ended, async () => {
      await desktop.client.whoelse();
      await yoda.client.whoelse();
    });
    expect(await yoda.client.whoelse()).toEqual(["hans"]);
  });

  test("a user whose devices all time out is reported offline once, after the last of them", async () => {
    await using fixture = await start();
    const { server, advanceUntil } = fixture;
    const yoda = await online(server, "yoda");
    const desktop = await online(server, "hans");
    await advanceUntil(waitUntilOnline(yoda.stream, "hans"), () =>
      yoda.client.whoelse().then(() => desktop.client.whoelse()),
    );
    const phone = await online(server, "hans");
    await advanceUntil(desktop.stream.ended, async () => {
      await yoda.client.whoelse();
      await phone.client.whoelse();
    });
    expect(await yoda.client.whoelse()).toEqual(["hans"]);
    expect(presenceEventsOf(yoda.stream, "hans")).toEqual(["online"]);
    await advanceUntil(phone.stream.ended, () => yoda.client.whoelse());
    await advanceUntil(waitUntilOffline(yoda.stream, "hans"), () => yoda.client.whoelse());
    expect(presenceEventsOf(yoda.stream, "hans")).toEqual(["online", "offline"]);
  });

  test("without a time-out no idle session ends", async () => {
    await using fixture = await start();
    await using without = await start({ idleTimeoutMs: undefined });
    const hans = await online(without.server, "hans");
    const yoda = await online(fixture.server, "yoda");
    // Both clocks advance by the same number of steps.
    const tick = (): Promise<unknown> =>
      without.advanceUntil(new Promise((resolve) => setImmediate(resolve)));
    expect((await fixture.advanceUntil(yoda.stream.ended, tick))?.reason).toBe("SESSION_TIMED_OUT");
    expect(await hans.broadcast("I am still here")).toMatchObject({ seq: 1n });
  });

  test("a restart starts the time-out again, also for sessions from before", async () => {
    await using fixture = await start();
    const { server, advanceUntil } = fixture;
    const hans = await server.logIn("hans");
    await server.stop();
    await server.start();
    const { ended } = await open(hans).caughtUp();
    expect((await advanceUntil(ended))?.reason).toBe("SESSION_TIMED_OUT");
  });

  test("Welcome contains the time-out, and no value if there is none", async () => {
    await using fixture = await start();
    const { limits } = await open(await fixture.server.logIn("hans")).next("welcome");
    expect(limits?.idleTimeout).toEqual({ seconds: 60n, nanos: 0 });
    await using without = await TestServer.start({ users: people });
    const welcome = await open(await without.logIn("hans")).next("welcome");
    expect(welcome.limits?.idleTimeout).toBeUndefined();
  });
});

// The transport makes no difference to the tests below.
test("an idle session ends exactly at the time-out", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: people, idleTimeoutMs: TIMEOUT_MS, clock });
  const { client, stream } = await connectUser(server, "hans");
  clock.advance(TIMEOUT_MS - 1);
  // A list in the background does not count as a command.
  expect(await client.textsWith("vader")).toEqual([]);
  clock.advance(1);
  expect((await stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
});

// Only Connect has a command without a kind.
test.each<[string, (hans: Online) => Promise<unknown> | unknown]>([
  [
    "a list in the background",
    ({ client }) => {
      const request = { onlineWithin: undefined, pageSize: 0, pageToken: "", background: true };
      return client.unary(client.directory, client.directory.listUsers, request);
    },
  ],
  ["history in the background", ({ client }) => client.textsWith("vader")],
  ["a list that is refused", ({ client }) => reasonOf(client.whoelse(-1))],
  ["a block that is refused", ({ client }) => reasonOf(client.block("nobody"))],
  ["a command without a kind", ({ stream }) => stream.write({ kind: undefined })],
])("%s does not count", async (_, work) => {
  await using fixture = await start();
  const { server, advanceUntil } = fixture;
  const hans = await connectUser(server, "hans");
  await advanceUntil(hans.stream.ended, () => work(hans));
  expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
});

test.each<[string, (hans: Online) => Promise<unknown>]>([
  ["whoelse", ({ client }) => client.whoelse()],
  [
    "reading the history",
    ({ client }) => {
      const target = { target: { $case: "username", value: "vader" } } as const;
      const range = {
        fromSeq: 0n,
        toSeq: 0n,
        fromTime: undefined,
        toTime: undefined,
        order: 0 as const,
        pageSize: 0,
        pageToken: "",
      };
      const request = { target, ...range, background: false };
      return client.unary(client.history, client.history.listMessages, request);
    },
  ],
  [
    "the list of own sessions",
    ({ client }) => client.unary(client.auth, client.auth.listSessions, { pageSize: 0, pageToken: "" }),
  ],
  ["blocking and unblocking", ({ client }) => client.block("vader").then(() => client.unblock("vader"))],
])("%s counts: the session outlives one without it", async (_, work) => {
  await using fixture = await start();
  await outlivesIdle(fixture, connectUser, work);
});

// The tests below need no stream.
test("a connection without a log-in does not time out", async () => {
  await using fixture = await start();
  const { server, advanceUntil } = fixture;
  using proxy = await TcpProxy.start(server.port);
  using slow = new TestClient(proxy.port);
  expect(await reasonOf(slow.whoelse())).toBe("TOKEN_MISSING");
  const hans = await connectUser(server, "hans");
  expect((await advanceUntil(hans.stream.ended))?.reason).toBe("SESSION_TIMED_OUT");
  // The connection was idle for longer than the time-out.
  await slow.logIn("yoda", passwordOf("yoda"));
  await slow.connect().caughtUp();
  await expect.poll(() => slow.whoelse()).toEqual([]);
  expect(proxy.connections).toBe(1);
});

test("the time-out also ends a session without a stream", async () => {
  await using fixture = await start();
  const { server, advanceUntil } = fixture;
  const hans = await server.logIn("hans");
  const anonymous = server.anonymous();
  const stream = anonymous.connect(null);
  // A call without a token is refused immediately, as without a time-out.
  expect((await stream.ended)?.reason).toBe("TOKEN_MISSING");
  const refused = async (): Promise<void> => {
    while ((await reasonOf(hans.unary(hans.chat, hans.chat.setTyping, typingToVader))) !== "TOKEN_INVALID");
  };
  await advanceUntil(refused());
});

const typingToVader = {
  target: { target: { $case: "username", value: "vader" } },
  typing: false,
} as const;

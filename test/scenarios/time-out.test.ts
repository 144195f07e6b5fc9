// Scenarios of the idle time-out: a session without a command is logged out, and what counts as a command. The clock is the
// test's: it advances by a tenth of the time-out after each round of work, so a session that does nothing ends in the tenth.
import { describe, expect, test } from "vitest";
import { RpcError } from "../../rpc/status/status.ts";
import { reasonOf, TestClient, textOf } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { passUntil } from "../support/passing-time.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { type Online, online } from "./online.ts";
import { comes, goes, toldOf } from "./presence-seen.ts";
import { type Here, transports } from "./transports.ts";
import { Wire } from "./wire.ts";

const TIMEOUT_MS = 60_000;
const STEP_MS = TIMEOUT_MS / 10;
/** The reasons that calls and streams of a session get once it has timed out. */
const ENDED: ReadonlySet<string> = new Set(["TOKEN_INVALID", "SESSION_TIMED_OUT"]);
const people = ["hans", "yoda", "vader", "leia"];

interface Timed extends AsyncDisposable {
  readonly server: TestServer;
  /** Advances the clock until the promise settles, with that work in each step. */
  readonly pass: <T>(promise: Promise<T>, work?: () => Promise<unknown> | unknown) => Promise<T>;
}

async function start(options: Parameters<typeof TestServer.start>[0] = {}): Promise<Timed> {
  const clock = new ManualClock();
  const server = await TestServer.start({ users: people, idleTimeoutMs: TIMEOUT_MS, clock, ...options });
  return {
    server,
    pass: (promise, work) =>
      passUntil(promise, { server, clock, stepMs: STEP_MS }, async () => {
        // In the last step the session may have ended before its end arrives here.
        await Promise.resolve(work?.()).catch((error: unknown) => {
          if (!(error instanceof RpcError && ENDED.has(error.reason))) throw error;
        });
      }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A user who works while another is idle keeps the token and the stream when the idle one times out. */
async function outlivesIdle<Someone extends Online>(
  { server, pass }: Timed,
  enter: (server: TestServer, name: string) => Promise<Someone>,
  work: (hans: Someone) => Promise<unknown>,
): Promise<void> {
  const hans = await enter(server, "hans");
  const idle = await enter(server, "yoda");
  const ending = await pass(idle.stream.ended, () => work(hans));
  expect(ending?.reason).toBe("SESSION_TIMED_OUT");
  // That a user went offline is stored a moment after the stream ends.
  await expect.poll(() => hans.client.whoelse()).toEqual([]);
  await (await server.logIn("leia")).send("hans", "still you?");
  expect(await hans.stream.next("entryAppended", (one) => textOf(one) === "still you?")).toBeDefined();
}

describe.each(transports)("through $name", ({ here, open }) => {
  test("a user without a command is logged out: the stream ends with the reason, others see a log-out, the token is refused", async () => {
    await using timed = await start({ presenceGraceMs: 3_600_000 });
    const { server, pass } = timed;
    const yoda = await here(server, "yoda");
    const hans = await here(server, "hans");
    await pass(comes(yoda.stream, "hans"), () => yoda.client.whoelse().then(() => hans.client.whoelse()));
    const gone = goes(yoda.stream, "hans");
    await pass(hans.stream.ended, () => yoda.client.whoelse());
    expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
    await pass(gone, () => yoda.client.whoelse());
    expect(await reasonOf(hans.client.whoelse())).toBe("TOKEN_INVALID");
    expect(await yoda.client.whoelse()).toEqual([]);
  });

  test("receiving messages, broadcasts and presence does not count", async () => {
    await using timed = await start();
    const { server, pass } = timed;
    const yoda = await here(server, "yoda");
    const leia = await server.logIn("leia");
    const hans = await here(server, "hans");
    await pass(hans.stream.ended, async () => {
      await yoda.send("hans", "are you there?");
      await yoda.broadcast("is anybody?");
      // Comes online, sends a command, and goes offline.
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
    await using timed = await start();
    const { server, pass } = timed;
    const hans = await here(server, "hans");
    const vader = await server.logIn("vader");
    const { conversationId } = await vader.send("hans", "read this");
    const marked: bigint[] = [];
    await pass(hans.stream.ended, async () => {
      const { seq } = await vader.send("hans", "and this");
      await hans.mark({ conversationId, deliveredSeq: seq, readSeq: seq - 1n });
      await hans.mark({ conversationId, deliveredSeq: seq, readSeq: seq });
      marked.push(seq);
    });
    expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
    expect(marked.length).toBeGreaterThan(2);
    expect(hans.stream.all("refused")).toEqual([]);
  });

  // If one of these counted, the session would not end, and the test would fail.
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
    await using timed = await start();
    const { server, pass } = timed;
    const hans = await here(server, "hans");
    await hans.send("vader", "once", 77n);
    await pass(hans.stream.ended, () => work(hans));
    expect((await hans.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
  });

  test.each<[string, (hans: Here) => Promise<unknown>]>([
    ["a message", (hans) => hans.send("vader", "hello")],
    ["a broadcast", (hans) => hans.broadcast("hello")],
    ["reported activity, as of a private chat", (hans) => hans.act()],
  ])("%s counts: a session without it ends first", async (_, work) => {
    await using timed = await start();
    await outlivesIdle(timed, here, work);
  });

  test("each session has its own time-out: another device of the same user stays logged in", async () => {
    await using timed = await start();
    const { server, pass } = timed;
    const desktop = await here(server, "hans");
    const phone = await here(server, "hans");
    const yoda = await here(server, "yoda");
    await pass(phone.stream.ended, async () => {
      await desktop.client.whoelse();
      await yoda.client.whoelse();
    });
    expect(await yoda.client.whoelse()).toEqual(["hans"]);
  });

  test("a user whose devices all time out is reported offline once, after the last of them", async () => {
    await using timed = await start();
    const { server, pass } = timed;
    const yoda = await here(server, "yoda");
    const context = await here(server, "hans");
    await pass(comes(yoda.stream, "hans"), () => yoda.client.whoelse().then(() => context.client.whoelse()));
    const phone = await here(server, "hans");
    await pass(context.stream.ended, async () => {
      await yoda.client.whoelse();
      await phone.client.whoelse();
    });
    expect(await yoda.client.whoelse()).toEqual(["hans"]);
    expect(toldOf(yoda.stream, "hans")).toEqual(["in"]);
    await pass(phone.stream.ended, () => yoda.client.whoelse());
    await pass(goes(yoda.stream, "hans"), () => yoda.client.whoelse());
    expect(toldOf(yoda.stream, "hans")).toEqual(["in", "out"]);
  });

  test("without a time-out no session ends for being idle", async () => {
    await using timed = await start();
    await using without = await start({ idleTimeoutMs: undefined });
    const hans = await here(without.server, "hans");
    const yoda = await here(timed.server, "yoda");
    // As many steps pass on both clocks.
    const tick = (): Promise<unknown> => without.pass(new Promise((resolve) => setImmediate(resolve)));
    expect((await timed.pass(yoda.stream.ended, tick))?.reason).toBe("SESSION_TIMED_OUT");
    expect(await hans.broadcast("I am still here")).toMatchObject({ seq: 1n });
  });

  test("after a restart the time-out runs anew, also for sessions from before", async () => {
    await using timed = await start();
    const { server, pass } = timed;
    const hans = await server.logIn("hans");
    await server.stop();
    await server.start();
    const { ended } = await open(hans).caughtUp();
    expect((await pass(ended))?.reason).toBe("SESSION_TIMED_OUT");
  });

  test("Welcome states the time-out, and no value where there is none", async () => {
    await using timed = await start();
    const { limits } = await open(await timed.server.logIn("hans")).next("welcome");
    expect(limits?.idleTimeout).toEqual({ seconds: 60n, nanos: 0 });
    await using without = await TestServer.start({ users: people });
    const welcome = await open(await without.logIn("hans")).next("welcome");
    expect(welcome.limits?.idleTimeout).toBeUndefined();
  });
});

// Calls of the other services, and a command without a kind: these have one transport.
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
  ["a command without a kind", ({ stream }) => stream.write({ kind: undefined })],
])("%s does not count", async (_, work) => {
  await using timed = await start();
  const { server, pass } = timed;
  const hans = await online(server, "hans");
  await pass(hans.stream.ended, () => work(hans));
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
])("%s counts: a session without it ends first", async (_, work) => {
  await using timed = await start();
  await outlivesIdle(timed, online, work);
});

// These have no stream.
test("a connection without a log-in does not time out", async () => {
  await using timed = await start();
  const { server, pass } = timed;
  using wire = await Wire.to(server.port);
  using slow = new TestClient(wire.port);
  expect(await reasonOf(slow.whoelse())).toBe("TOKEN_MISSING");
  const hans = await online(server, "hans");
  expect((await pass(hans.stream.ended))?.reason).toBe("SESSION_TIMED_OUT");
  // The connection was idle for longer than the time-out, and logs in only now.
  await slow.logIn("yoda", passwordOf("yoda"));
  await slow.connect().caughtUp();
  await expect.poll(() => slow.whoelse()).toEqual([]);
  expect(wire.connections).toBe(1);
});

test("the time-out ends a session without a stream too", async () => {
  await using timed = await start();
  const { server, pass } = timed;
  const hans = await server.logIn("hans");
  const anonymous = server.anonymous();
  const stream = anonymous.connect(null);
  // Refused immediately, as without a time-out.
  expect((await stream.ended)?.reason).toBe("TOKEN_MISSING");
  const refused = async (): Promise<void> => {
    while ((await reasonOf(hans.unary(hans.chat, hans.chat.setTyping, typingToVader))) !== "TOKEN_INVALID");
  };
  await pass(refused());
});

const typingToVader = {
  target: { target: { $case: "username", value: "vader" } },
  typing: false,
} as const;

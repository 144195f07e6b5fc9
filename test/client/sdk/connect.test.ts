// connect: log-in and trust, the first entries, the state folder, the end and its errors.
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import {
  ConnectError,
  type Connection,
  type ConnectOptions,
  connect,
  Endpoint,
  logIn,
  openLink,
  RpcError,
} from "../../../client/sdk/index.ts";
import type { Session } from "../../../client/sdk/messages.ts";
import { fingerprintOf } from "../../../rpc/dialling/dial.ts";
import { passwordOf, TestServer, type TestServerOptions } from "../../support/server.ts";
import { certificate } from "../cli/parley.ts";
import { newFolder } from "../state/fixture.ts";

let shared: TestServer;
let pairs = 0;
beforeAll(async () => {
  shared = await TestServer.start();
});
afterAll(() => shared[Symbol.asyncDispose]());

/** Two new users of the shared server, and a connection as the first one. */
async function newPair() {
  pairs++;
  const [hans, yoda] = [`hans${pairs}`, `yoda${pairs}`] as const;
  await shared.addUsers([hans, yoda]);
  const login = { username: hans, password: passwordOf(hans) };
  const asFirst = (options: Partial<ConnectOptions> = {}) => asHans(shared, { login, ...options });
  return { hans, yoda, asFirst };
}

async function start(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await TestServer.start({ users: ["hans", "yoda"], ...options });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** Connects as hans, or with the given log-in, without TLS. */
function asHans(server: TestServer, options: Partial<ConnectOptions> = {}): Promise<Connection> {
  return connect({
    address: `127.0.0.1:${server.port}`,
    trust: { kind: "plaintext" },
    login: { username: "hans", password: passwordOf("hans") },
    backoff: { baseMs: 1, capMs: 1 },
    ...options,
  });
}

/** The texts of the entries up to this one. */
async function textsUpTo(link: Connection, last: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const event of link.events) {
    if (event.type !== "entry" || event.content.kind !== "text") continue;
    texts.push(event.content.text);
    if (event.content.text === last) break;
  }
  return texts;
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "none",
    (error: unknown) => error,
  );
}

test("a send resolves when the message is stored, and rejects with the refusal", async () => {
  const { hans: first, yoda: second, asFirst } = await newPair();
  await using hans = await asFirst();
  const ack = await hans.send(second, "hello");
  expect(ack).toMatchObject({ seq: 1n, repeatedSend: false });
  expect(
    await hans.send({ kind: "conversation", conversationId: ack.conversationId }, "again"),
  ).toMatchObject({ seq: 2n });
  expect(hans.send({ kind: "broadcast" }, "to all").clientMessageId).toBeGreaterThan(0n);
  expect(await failure(hans.send("nobody", "lost"))).toMatchObject({
    reason: "USER_NOT_FOUND",
    field: "target.username",
  });
  const yoda = await shared.logIn(second);
  expect(await yoda.textsWith(first)).toEqual(["hello", "again"]);
});

test('a link starts with new entries, or with recent ones for startAt: "recent"', async () => {
  const { hans: first, yoda: second, asFirst } = await newPair();
  const yoda = await shared.logIn(second);
  await yoda.send(first, "old");
  await using now = await asFirst();
  await using recent = await asFirst({ startAt: "recent" });
  await yoda.send(first, "new");
  expect(await textsUpTo(now, "new")).toEqual(["new"]);
  expect(await textsUpTo(recent, "new")).toEqual(["old", "new"]);
});

test("with a state folder the next process continues with the session, the device and the cursors", async () => {
  const { hans: first, yoda: second, asFirst } = await newPair();
  const yoda = await shared.logIn(second);
  using folder = newFolder();
  const stateFolder = folder.path;
  /** The ids of the user's sessions; the current one comes first. */
  const sessions = async (link: Connection): Promise<string[]> => {
    const all: Session[] = [];
    for await (const session of link.account.listSessions()) all.push(session);
    return all.sort((a, b) => Number(b.current) - Number(a.current)).map(({ sessionId }) => sessionId);
  };
  await yoda.send(first, "before it all");
  let ids: string[];
  {
    await using early = await asFirst({ stateFolder });
    await yoda.send(first, "one");
    expect(await textsUpTo(early, "one")).toEqual(["one"]);
    ids = await sessions(early);
  }
  await yoda.send(first, "two");
  {
    await using later = await asFirst({ stateFolder });
    expect(await textsUpTo(later, "two")).toEqual(["two"]);
    expect(await sessions(later)).toEqual(ids);
    // After a log-out the next start logs in again as the same device.
    await later.account.logOut();
  }
  await yoda.send(first, "three");
  await using third = await asFirst({ stateFolder });
  expect(await textsUpTo(third, "three")).toEqual(["three"]);
  expect(await sessions(third)).not.toEqual(ids);
});

test("the loop over the events throws the error that ended the link, and ends normally after close", async () => {
  const { hans: first, yoda: second, asFirst } = await newPair();
  const password = passwordOf(first);
  await using hans = await asFirst();
  const other = await shared.logIn(first);
  const reading = failure(textsUpTo(hans, "never"));
  await other.unary(other.auth, other.auth.changePassword, {
    oldPassword: password,
    newPassword: `new ${password}`,
  });
  const error = await reading;
  expect(error).toBeInstanceOf(RpcError);
  expect(hans.state).toMatchObject({ phase: "ended", ending: { kind: "not-logged-in", cause: error } });

  await using token = await asFirst({ login: { token: other.grant?.token ?? "" } });
  const read = textsUpTo(token, "never");
  await token.close();
  expect(await read).toEqual([]);
  expect(() => token.send(second, "late")).toThrow("ended");
  await token.close();
});

test("close waits for acks, also before the first stream, and while the reader awaits them", async () => {
  const { hans: first, yoda: second, asFirst } = await newPair();
  const yoda = await shared.logIn(second);
  const brief = await asFirst();
  const only = brief.send(second, "in passing");
  await brief.close();
  expect(await only).toMatchObject({ seq: 1n });
  await using hans = await asFirst();
  const reading = (async () => {
    const acks: bigint[] = [];
    for await (const event of hans.events) {
      if (event.type !== "entry" || event.mine) continue;
      const sending = hans.send(second, "answer");
      void hans.close();
      acks.push((await sending).seq);
    }
    return acks;
  })();
  await yoda.send(first, "question");
  expect(await reading).toEqual([3n]);
  expect(await yoda.textsWith(first)).toEqual(["in passing", "question", "answer"]);
});

test("a link can be closed at any moment of its start", async () => {
  const { hans: first } = await newPair();
  await using endpoint = new Endpoint({ address: `127.0.0.1:${shared.port}`, trust: { kind: "plaintext" } });
  const { token } = await logIn(endpoint, { username: first, password: passwordOf(first) });
  for (let turns = 0; turns < 40; turns++) {
    const link = openLink({ endpoint, token });
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await link[Symbol.asyncDispose]();
    expect(link.state).toMatchObject({ ending: { kind: "closed" } });
  }
});

test("a link reconnects after the loss of its server, and each entry comes once", async () => {
  const server = await start();
  await using hans = await asHans(server);
  const yoda = await asHans(server, { login: { username: "yoda", password: passwordOf("yoda") } });
  await using _yoda = yoda;
  await yoda.send("hans", "before");
  await server.stop();
  const sending = yoda.send("hans", "while it was away");
  await server.start();
  await sending;
  await yoda.send("hans", "after");
  expect(await textsUpTo(hans, "after")).toEqual(["before", "while it was away", "after"]);
});

test("a wrong password, an untrusted server and conflicting options reject connect", async () => {
  const tls = await certificate();
  const server = await start({ tls });
  const fingerprint = fingerprintOf(tls.cert);
  const pinned = { trust: { kind: "pin", fingerprint } } as const;
  const wrong = { username: "hans", password: "wrong" };
  expect(await failure(asHans(server, { ...pinned, login: wrong }))).toMatchObject({
    reason: "CREDENTIALS_WRONG",
  });
  const other = { trust: { kind: "pin", fingerprint: fingerprintOf((await certificate()).cert) } } as const;
  const mismatch = await failure(asHans(server, other));
  expect(mismatch).toBeInstanceOf(ConnectError);
  expect(mismatch).toMatchObject({ kind: "fingerprint-mismatch", found: fingerprint });
  expect(await failure(asHans(server, { trust: { kind: "system" } }))).toMatchObject({ kind: "untrusted" });
  const both = asHans(server, { ...pinned, login: { token: "x" }, stateFolder: "nowhere" });
  expect(await failure(both)).toBeInstanceOf(TypeError);
  await server.stop();
  expect(await failure(asHans(server, pinned))).toMatchObject({ kind: "unreachable" });
});

test("with an authority only its servers are trusted", async () => {
  const tls = await certificate();
  const server = await start({ tls });
  const trusting = (certificates: string): Partial<ConnectOptions> => ({
    trust: { kind: "authority", certificates },
  });
  await using hans = await asHans(server, trusting(tls.cert));
  await hans.send("yoda", "hello");
  const stranger = await failure(asHans(server, trusting((await certificate()).cert)));
  expect(stranger).toMatchObject({ kind: "untrusted", message: expect.stringContaining("does not verify") });
});

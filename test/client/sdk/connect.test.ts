// What connect does for a program: log-in and trust, where it begins, what it remembers, how it ends and what it throws.
import { expect, onTestFinished, test } from "vitest";
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

async function start(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await TestServer.start({ users: ["hans", "yoda"], ...options });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** hans, over a plain connection. */
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

test("a send resolves when the message is stored, and rejects with the reason of its refusal", async () => {
  const server = await start();
  await using hans = await asHans(server);
  const ack = await hans.send("yoda", "hello");
  expect(ack).toMatchObject({ seq: 1n, repeatedSend: false });
  expect(
    await hans.send({ kind: "conversation", conversationId: ack.conversationId }, "again"),
  ).toMatchObject({ seq: 2n });
  expect(hans.send({ kind: "broadcast" }, "to all").clientMessageId).toBeGreaterThan(0n);
  expect(await failure(hans.send("nobody", "lost"))).toMatchObject({
    reason: "USER_NOT_FOUND",
    field: "target.username",
  });
  const yoda = await server.logIn("yoda");
  expect(await yoda.said("hans")).toEqual(["hello", "again"]);
});

test("it begins with what is new, or with the recent entries where that is wanted", async () => {
  const server = await start();
  const yoda = await server.logIn("yoda");
  await yoda.send("hans", "old");
  await using now = await asHans(server);
  await using recent = await asHans(server, { startAt: "recent" });
  await yoda.send("hans", "new");
  expect(await textsUpTo(now, "new")).toEqual(["new"]);
  expect(await textsUpTo(recent, "new")).toEqual(["old", "new"]);
});

test("a state folder keeps session, device and cursors: the next start goes on where the last one was", async () => {
  const server = await start();
  const yoda = await server.logIn("yoda");
  using folder = newFolder();
  const stateFolder = folder.path;
  /** Those of hans, the own one first. */
  const sessions = async (link: Connection): Promise<string[]> => {
    const all: Session[] = [];
    for await (const session of link.account.listSessions()) all.push(session);
    return all.sort((a, b) => Number(b.current) - Number(a.current)).map(({ sessionId }) => sessionId);
  };
  await yoda.send("hans", "before it all");
  let ids: string[];
  {
    await using first = await asHans(server, { stateFolder });
    await yoda.send("hans", "one");
    expect(await textsUpTo(first, "one")).toEqual(["one"]);
    ids = await sessions(first);
  }
  await yoda.send("hans", "two");
  {
    await using second = await asHans(server, { stateFolder });
    expect(await textsUpTo(second, "two")).toEqual(["two"]);
    expect(await sessions(second)).toEqual(ids);
    // Revoked elsewhere: the next start logs in again, as the same device.
    await second.account.logOut();
  }
  await yoda.send("hans", "three");
  await using third = await asHans(server, { stateFolder });
  expect(await textsUpTo(third, "three")).toEqual(["three"]);
  expect(await sessions(third)).not.toEqual(ids);
});

test("the events throw what ended the link, and end in peace after close", async () => {
  const server = await start();
  const password = passwordOf("hans");
  await using hans = await asHans(server);
  const other = await server.logIn("hans");
  const reading = failure(textsUpTo(hans, "never"));
  await other.unary(other.auth, other.auth.changePassword, {
    oldPassword: password,
    newPassword: `new ${password}`,
  });
  const error = await reading;
  expect(error).toBeInstanceOf(RpcError);
  expect(hans.state).toMatchObject({ phase: "ended", ending: { kind: "not-logged-in", cause: error } });

  await using token = await asHans(server, { login: { token: other.grant?.token ?? "" } });
  const read = textsUpTo(token, "never");
  await token.close();
  expect(await read).toEqual([]);
  expect(() => token.send("yoda", "late")).toThrow("ended");
  await token.close();
});

test("close lets what is on its way be acked, also where no stream is open yet, or the reader awaits it", async () => {
  const server = await start();
  const yoda = await server.logIn("yoda");
  const brief = await asHans(server);
  const only = brief.send("yoda", "in passing");
  await brief.close();
  expect(await only).toMatchObject({ seq: 1n });
  await using hans = await asHans(server);
  const reading = (async () => {
    const acks: bigint[] = [];
    for await (const event of hans.events) {
      if (event.type !== "entry" || event.mine) continue;
      const sending = hans.send("yoda", "answer");
      void hans.close();
      acks.push((await sending).seq);
    }
    return acks;
  })();
  await yoda.send("hans", "question");
  expect(await reading).toEqual([3n]);
  expect(await yoda.said("hans")).toEqual(["in passing", "question", "answer"]);
});

test("a link can be closed at any moment of its beginning", async () => {
  const server = await start();
  await using endpoint = new Endpoint({ address: `127.0.0.1:${server.port}`, trust: { kind: "plaintext" } });
  const { token } = await logIn(endpoint, { username: "hans", password: passwordOf("hans") });
  for (let turns = 0; turns < 40; turns++) {
    const link = openLink({ endpoint, token });
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await link[Symbol.asyncDispose]();
    expect(link.state).toMatchObject({ ending: { kind: "closed" } });
  }
});

test("a link that lost its server comes back by itself; each entry comes once", async () => {
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

test("who is wrong, what is not trusted, and what does not go together is said at once", async () => {
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

test("an authority of one's own vouches for its servers and for nobody else", async () => {
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

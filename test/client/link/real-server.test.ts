// Links and calls against the real server: conversations, a restart, a log-out, a refused cursor, a slow reader.
import { afterAll, beforeAll, expect, test } from "vitest";
import { MemoryCursors } from "../../../client/link/model/cursors.ts";
import { sendOnce } from "../../../client/link/sending/send-once.ts";
import { Account, logIn } from "../../../client/link/server/account.ts";
import { Endpoint } from "../../../client/link/server/endpoint.ts";
import type { Grant } from "../../../gen/parley/chat/v1/auth_service.ts";
import { ConnectError, fingerprintOf } from "../../../rpc/dialling/dial.ts";
import { makeCertificate } from "../../rpc/certificates.ts";
import { passwordOf, TestServer } from "../../support/server.ts";
import { open, seqs } from "./fixture.ts";

let shared: TestServer;
beforeAll(async () => {
  shared = await TestServer.start({ users: ["hans", "yoda", "luke", "han"] });
});
afterAll(async () => {
  await shared[Symbol.asyncDispose]();
});

function addressOf(server: TestServer): string {
  return `127.0.0.1:${server.port}`;
}

async function logInAs(server: TestServer, username: string): Promise<Grant> {
  await using endpoint = new Endpoint({ address: addressOf(server), trust: { kind: "plaintext" } });
  return await logIn(endpoint, { username, password: passwordOf(username) });
}

test("two users chat across a restart of the server, and each message arrives once", async () => {
  await using server = await TestServer.start({ users: ["hans", "yoda"] });
  const address = addressOf(server);
  await using hans = open({ address }, { token: (await logInAs(server, "hans")).token });
  await using yoda = open({ address }, { token: (await logInAs(server, "yoda")).token });
  await hans.phase("live");
  await yoda.phase("live");
  const toYoda = { kind: "user", username: "yoda" } as const;
  const first = await hans.link.send(toYoda, "one").done;
  const [entry] = await yoda.entries(1);
  expect(entry).toMatchObject({
    content: { text: "one" },
    peer: { username: "hans" },
    live: true,
    mine: false,
  });
  await yoda.link.send({ kind: "conversation", conversationId: first.conversationId }, "two").done;
  expect(await hans.entries(1)).toMatchObject([{ content: { text: "two" }, seq: 2n }]);
  // An event counts as taken when the reader asks for the next one.
  const acked = yoda.next("acked");
  expect(await hans.next("markers")).toMatchObject({
    user: { username: "yoda" },
    mine: false,
    deliveredSeq: 1n,
  });
  expect(await acked).toMatchObject({ seq: 2n });

  await server.stop();
  await hans.phase("waiting");
  await yoda.phase("waiting");
  const away = Array.from({ length: 300 }, (_, n) => hans.link.send(toYoda, `away ${n}`));
  await server.start();
  hans.link.retryNow();
  yoda.link.retryNow();
  await Promise.all(away.map(({ done }) => done));
  await hans.link.settled();
  const entries = await yoda.entries(300);
  expect(entries.map(({ content }) => content)).toEqual(
    away.map((_, n) => ({ kind: "text", text: `away ${n}` })),
  );
  expect(seqs(entries)).toEqual(away.map((_, n) => n + 3));
});

test("a link waits while the server's certificate has expired, and is back after its renewal", async () => {
  const tls = makeCertificate();
  const served: { cert: string; key: string } = { ...tls };
  await using server = await TestServer.start({ users: ["hans"], tls: served });
  const trust = { kind: "pin", fingerprint: fingerprintOf(tls.cert) } as const;
  await using endpoint = new Endpoint({ address: addressOf(server), trust });
  const { token } = await logIn(endpoint, { username: "hans", password: passwordOf("hans") });
  await using hans = open({ address: addressOf(server) }, { token }, { trust });
  await hans.phase("live");
  await server.stop();
  await hans.phase("waiting");
  Object.assign(served, makeCertificate({ privateKey: tls.privateKey, days: -3 }));
  await server.start();
  for (;;) {
    const state = await hans.phase("waiting");
    if (
      state.phase === "waiting" &&
      state.cause instanceof ConnectError &&
      state.cause.kind === "certificate-time"
    )
      break;
  }
  await server.stop();
  Object.assign(served, makeCertificate({ privateKey: tls.privateKey }));
  await server.start();
  await hans.phase("live");
});

test("calls list users, conversations, pages of a log and sessions, and send a message once", async () => {
  await using server = await TestServer.start({ users: ["hans", "yoda"] });
  await using endpoint = new Endpoint({ address: addressOf(server), trust: { kind: "plaintext" } });
  const account = new Account(endpoint, (await logInAs(server, "hans")).token);
  await using yoda = open({ address: addressOf(server) }, { token: (await logInAs(server, "yoda")).token });
  await yoda.phase("live");
  for (let n = 1; n <= 5; n++) {
    const target = { kind: "user", username: "yoda" } as const;
    const send = { clientMessageId: BigInt(n), target, text: `m${n}` };
    await sendOnce(account, send);
    expect(await sendOnce(account, send)).toMatchObject({ repeatedSend: true, seq: BigInt(n) });
  }
  await account.broadcast("to all", 6n);
  expect((await collect(account.listUsers())).map(({ user }) => user?.username)).toEqual(["yoda"]);
  expect(await collect(account.listConversations())).toHaveLength(2);
  const pages = await collect(
    account.listMessages({ kind: "user", username: "yoda" }, { newestFirst: true, pageSize: 2 }),
  );
  expect(pages.map(({ items }) => items.length)).toEqual([2, 2, 1]);
  expect((await collect(account.listSessions())).filter(({ current }) => current)).toHaveLength(1);
  await account.logOut();
  await expect(account.logOut()).rejects.toMatchObject({ reason: "TOKEN_INVALID" });
});

test("a log-out by another call ends the link as not logged in", async () => {
  const server = shared;
  const { token } = await logInAs(server, "hans");
  await using client = open({ address: addressOf(server) }, { token });
  await client.phase("live");
  await client.link.account.logOut();
  expect(await client.phase("ended")).toMatchObject({ ending: { kind: "not-logged-in" } });
  await using late = open({ address: addressOf(server) }, { token });
  expect(await late.phase("ended")).toMatchObject({ ending: { kind: "not-logged-in" } });
});

test("a cursor beyond the head is refused by the server, reported, and forgotten", async () => {
  const server = shared;
  const { token } = await logInAs(server, "hans");
  const cursors = new MemoryCursors();
  let conversationId: string;
  {
    await using client = open({ address: addressOf(server) }, { token });
    ({ conversationId } = await client.link.send({ kind: "user", username: "yoda" }, "one").done);
  }
  cursors.raise([
    { conversationId, seq: 9n, kind: "unknown", peer: undefined, deliveredSeq: 0n, readSeq: 0n },
  ]);
  cursors.raise([
    { conversationId: "c1", seq: 0n, kind: "unknown", peer: undefined, deliveredSeq: 0n, readSeq: 0n },
  ]);
  await using client = open({ address: addressOf(server) }, { token, cursors, deliveredMarkers: false });
  expect(await client.next("reset")).toMatchObject({ conversationId });
  expect(seqs(await client.entries(1))).toEqual([1]);
});

test("a slow reader receives every entry: pushed, or in a gap that can be filled", async () => {
  const server = shared;
  const address = addressOf(server);
  await using hans = open({ address }, { token: (await logInAs(server, "luke")).token, readEvents: false });
  await using yoda = open({ address }, { token: (await logInAs(server, "han")).token, maxBufferedEvents: 5 });
  await yoda.phase("live");
  const text = "x".repeat(4_000);
  const sendings = Array.from({ length: 1_500 }, () =>
    hans.link.send({ kind: "user", username: "han" }, text),
  );
  await Promise.all(sendings.map(({ done }) => done));
  let held = 0n;
  while (held < 1_500n) {
    const event = await yoda.log();
    if (event.type === "entry") {
      expect(event.seq).toBe(held + 1n);
      held = event.seq;
    } else {
      expect(event).toMatchObject({ fillable: true, fromSeq: held + 1n });
      const { conversationId, fromSeq, toSeq } = event;
      const target = { kind: "conversation", conversationId } as const;
      for await (const page of yoda.link.account.listMessages(target, { fromSeq, toSeq })) {
        held += BigInt(page.items.length);
      }
      expect(held).toBe(toSeq);
    }
  }
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

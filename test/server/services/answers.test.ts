// Tests that answers which clients do not take are bounded, that the calls of one user do not delay those of others, and
// that each response of a list call has the size that limits.pageBytes allows.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Metadata } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import {
  ListAccountsResponse,
  ListAdminActionsResponse,
  ListUserSessionsResponse,
} from "../../../gen/parley/chat/v1/admin_service.ts";
import {
  ListDevicesResponse,
  ListLogInsResponse,
  ListSessionsResponse,
} from "../../../gen/parley/chat/v1/auth_service.ts";
import { ListBlocksResponse } from "../../../gen/parley/chat/v1/block_service.ts";
import { ListUsersResponse, SearchUsersResponse } from "../../../gen/parley/chat/v1/directory_service.ts";
import {
  ListConversationsResponse,
  ListMessagesRequest,
  ListMessagesResponse,
} from "../../../gen/parley/chat/v1/history_service.ts";
import { ListDeviceKeysResponse } from "../../../gen/parley/chat/v1/identity_service.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import type { AnswerHold, CallContext } from "../../../rpc/calls/call-context.ts";
import { limits } from "../../../server/limits.ts";
import { Answers } from "../../../server/services/calls/answers.ts";
import type { Store } from "../../../server/store/store.ts";
import { root } from "../../repo/sources.ts";
import { bareSession, framed } from "../../rpc/fixture.ts";
import type { TestClient } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { TestServer } from "../../support/server.ts";

const longText = "x".repeat(32_000);

class FakeCall implements CallContext {
  readonly method = "";
  readonly metadata = new Metadata();
  readonly peer = "";
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;
  hold: AnswerHold | undefined;

  holdAnswer(hold: AnswerHold): void {
    this.hold = hold;
  }

  cancel(): void {
    this.#controller.abort();
  }

  take(): void {
    this.hold?.[Symbol.dispose]();
  }
}

const page = limits.pageBytes;
const ada = { userId: 1, sessionId: 11 };
const bob = { userId: 2, sessionId: 21 };

function admit(answers: Answers, caller: typeof ada, isPage = true) {
  const call = new FakeCall();
  const admission = Promise.resolve(answers.admit(caller, isPage, call));
  return { call, admission };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

describe("the bounds of answers", () => {
  test("a third page waits until the session has taken one", async () => {
    using answers = new Answers(new ManualClock());
    const [first, second, third] = [admit(answers, ada), admit(answers, ada), admit(answers, ada)];
    await Promise.all([first.admission, second.admission]);
    expect([answers.waiting, third.call.hold]).toEqual([1, undefined]);
    // The answer of another user does not wait.
    await admit(answers, bob).admission;
    first.call.hold?.prepared(page, page);
    await settled();
    expect(third.call.hold).toBeUndefined();
    first.call.take();
    await third.admission;
    expect([answers.waiting, third.call.hold]).toEqual([0, expect.anything()]);
  });

  test("an answer counts what is sent of it, and nothing once it is taken", async () => {
    using answers = new Answers(new ManualClock());
    const { call, admission } = admit(answers, ada);
    await admission;
    expect(answers.bytes).toBe(page);
    call.hold?.prepared(page, 1000);
    expect(answers.bytes).toBe(1000 + limits.answerOverhead);
    call.take();
    call.take();
    expect(answers.bytes).toBe(0);
  });

  test("small answers wait too when the session takes none", async () => {
    using answers = new Answers(new ManualClock(), { perSession: 10 * limits.answerOverhead });
    const calls = Array.from({ length: 11 }, () => admit(answers, ada, false));
    for (const { call } of calls) call.hold?.prepared(0, 0);
    const late = admit(answers, ada, false);
    await settled();
    expect(late.call.hold).toBeUndefined();
    calls[0]?.call.take();
    calls[1]?.call.take();
    await late.admission;
  });

  test("all users together are bounded, and users get turns", async () => {
    using answers = new Answers(new ManualClock(), { inAll: 2 * page });
    const first = [admit(answers, ada), admit(answers, ada)];
    const more = [admit(answers, ada), admit(answers, ada)];
    const other = admit(answers, bob);
    expect(answers.waiting).toBe(3);
    first[0]?.call.take();
    first[1]?.call.take();
    // Both users get a turn, although the first user's second call is older than the other user's.
    await Promise.all([more[0]?.admission, other.admission]);
    expect(more[1]?.call.hold).toBeUndefined();
  });

  test("only some pages are prepared at the same time", async () => {
    using answers = new Answers(new ManualClock(), { preparing: 1 });
    const [first, second] = [admit(answers, ada), admit(answers, bob)];
    await settled();
    expect(second.call.hold).toBeUndefined();
    first.call.hold?.prepared(1, 1);
    await second.admission;
  });

  test("a session that received many bytes waits until its rate allows more", async () => {
    const clock = new ManualClock();
    using answers = new Answers(clock, { bytesPerSecond: page });
    for (let count = 0; count < 3; count++) {
      const { call, admission } = admit(answers, ada);
      await admission;
      call.hold?.prepared(page, 1000);
      call.take();
    }
    const late = admit(answers, ada);
    await admit(answers, bob).admission;
    await settled();
    expect(late.call.hold).toBeUndefined();
    clock.advance(1_000);
    await late.admission;
  });

  test("too many waiting calls are refused, and a waiting call that is cancelled is forgotten", async () => {
    using answers = new Answers(new ManualClock(), { waitingPerUser: 1, waiting: 2 });
    const callers = [1, 2, 3].map((userId) => ({ userId, sessionId: userId }));
    const waiting = callers.slice(0, 2).map((caller) => {
      admit(answers, caller);
      admit(answers, caller);
      return admit(answers, caller);
    });
    expect(() => admit(answers, { userId: 1, sessionId: 1 })).toThrow(
      expect.objectContaining({ reason: Reason.RATE_LIMITED }) as Error,
    );
    const third = { userId: 3, sessionId: 3 };
    admit(answers, third);
    admit(answers, third);
    expect(() => admit(answers, third)).toThrow(
      expect.objectContaining({ reason: Reason.OVERLOADED }) as Error,
    );
    waiting[0]?.call.cancel();
    await expect(waiting[0]?.admission).rejects.toMatchObject({ reason: Reason.CANCELLED });
    expect(answers.waiting).toBe(1);
  });
});

function listMessages(session: ClientHttp2Session, client: TestClient, headers = {}): ClientHttp2Stream {
  const request = ListMessagesRequest.encode({
    target: { target: { $case: "username", value: "bob" } },
    fromSeq: 0n,
    toSeq: 0n,
    fromTime: undefined,
    toTime: undefined,
    order: 0,
    pageSize: 500,
    pageToken: "",
    background: false,
  }).finish();
  const stream = session.request({
    ":method": "POST",
    ":path": "/parley.chat.v1.HistoryService/ListMessages",
    "content-type": "application/grpc",
    te: "trailers",
    authorization: `Bearer ${client.grant?.token ?? ""}`,
    ...headers,
  });
  stream.on("error", () => {});
  stream.end(framed(request));
  return stream;
}

async function bodyOf(stream: ClientHttp2Stream): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

async function withLongTexts(count: number, text = longText): Promise<[TestServer, TestClient]> {
  const server = await TestServer.start({ users: ["ada", "bob"] });
  const client = await server.logIn("ada");
  for (let index = 0; index < count; index++) await client.send("bob", text);
  return [server, client];
}

test("a client that takes nothing gets two pages prepared, and the others wait without delaying anyone", async () => {
  const [server, client] = await withLongTexts(20);
  await using _server = server;
  using bare = await bareSession(`http://127.0.0.1:${server.port}`, { settings: { initialWindowSize: 0 } });
  let prepared = 0;
  const streams = Array.from({ length: 10 }, () => listMessages(bare.session, client));
  for (const stream of streams) stream.once("response", () => prepared++);
  await eventually(() => expect(prepared).toBe(2));
  const bob = await server.logIn("bob");
  expect((await bob.textsWith("ada")).length).toBeGreaterThan(10);
  expect(prepared).toBe(2);
  // Once the client takes its answers, all calls are answered.
  bare.session.settings({ initialWindowSize: 1024 * 1024 });
  bare.session.setLocalWindowSize(16 * 1024 * 1024);
  const bodies = await Promise.all(streams.map((stream) => bodyOf(stream)));
  expect(bodies.map((body) => body.length > 400_000)).toEqual(streams.map(() => true));
});

describe("compression", () => {
  const gzip = { "grpc-accept-encoding": "identity, deflate, gzip" };

  test.each([
    ["a long page for a client that accepts it is compressed", 1, longText, gzip, "gzip"],
    ["a short page is not compressed", 1, "short", gzip, "identity"],
    ["without the header nothing is compressed", 1, longText, {}, "identity"],
  ])("%s", async (_name, count, text, headers, expected) => {
    const [server, client] = await withLongTexts(count, text);
    await using _server = server;
    using bare = await bareSession(`http://127.0.0.1:${server.port}`);
    const stream = listMessages(bare.session, client, headers);
    const [response] = (await once(stream, "response")) as [Record<string, string>];
    const body = await bodyOf(stream);
    expect([response["grpc-encoding"], body[0]]).toEqual([expected, expected === "gzip" ? 1 : 0]);
    expect(body.readUInt32BE(1)).toBe(body.length - 5);
    const message = expected !== "gzip" ? body.subarray(5) : gunzipSync(body.subarray(5));
    const [item] = ListMessagesResponse.decode(message).items;
    expect(item?.item?.value).toMatchObject({ content: { kind: { value: text } } });
    if (expected === "gzip") expect(body.length).toBeLessThan(4096);
  });

  test("grpc-js reads a compressed page", async () => {
    const [server, client] = await withLongTexts(3);
    await using _server = server;
    expect(await client.textsWith("bob")).toEqual([longText, longText, longText]);
  });
});

// ---- the size of pages

const name = (index: number): string => `${String(index).padStart(8, "0")}${"n".repeat(56)}`;
const client = { name: "c".repeat(64), version: "v".repeat(64), deviceName: "d".repeat(64) };
const rows = <T>(limit: number, row: (index: number) => T): Promise<T[]> =>
  Promise.resolve(Array.from({ length: limit }, (_, index) => row(index + 1)));
const user = (index: number) => ({ userId: index, username: name(index) });
const address = "f".repeat(45);
const time = Date.UTC(2026, 0, 1) + 1;
const seqs = {
  deliveredSeq: Number.MAX_SAFE_INTEGER,
  readSeq: Number.MAX_SAFE_INTEGER,
  deliveredTime: time,
  readTime: time,
};
const base = 2 ** 50;

const account = (index: number) => ({
  ...user(index),
  createTime: time,
  isAdministrator: true,
  isBot: true,
  disabledTime: time,
});

/** A store whose lists have as many rows as are asked for, each as large as rows can be. */
function largest(store: Store): Store {
  return {
    ...store,
    serverId: store.serverId,
    broadcastId: store.broadcastId,
    accounts: {
      ...store.accounts,
      isAdministrator: () => Promise.resolve(true),
      listUserDevices: (_userId, before, limit) =>
        rows(limit, (index) => ({
          deviceId: before - index,
          name: client.deviceName,
          createTime: time,
          lastUsedTime: time,
          sessions: 2 ** 31,
          hasCertificate: true,
        })),
      searchUsers: (_prefix, _asking, after, limit) =>
        rows(limit, (index) => user(Number(after.slice(0, 8)) + index)),
      listSessions: (_userId, before, limit) =>
        rows(limit, (index) => ({
          sessionId: before - index,
          user: user(index),
          isBot: false,
          deviceId: base + index,
          client,
          address,
          createTime: time,
          lastUsedTime: time,
          expireTime: time,
        })),
    },
    admin: {
      ...store.admin,
      account: () => Promise.resolve(account(1)),
      listAccounts: (after, limit) => rows(limit, (index) => account(Number(after.slice(0, 8)) + index)),
      listActions: (before, limit) =>
        rows(limit, (index) => ({
          actionId: before - index,
          time,
          administrator: "a".repeat(limits.usernameBytes),
          address,
          action: "revoke-invite" as const,
          subject: "s".repeat(limits.usernameBytes),
        })),
    },
    log: {
      ...store.log,
      append: (entry) => store.log.append(entry),
      follow: (follower) => store.log.follow(follower),
      conversations: (_userId, afterId, limit) =>
        rows(limit, (index) => ({
          conversationId: afterId + index,
          kind: "direct" as const,
          headSeq: base,
          peer: user(index),
          markers: seqs,
          peerMarkers: seqs,
          undelivered: Array.from({ length: 100 }, (_, at) => ({ from: base + 2 * at, to: base + 2 * at })),
        })),
    },
    presence: {
      ...store.presence,
      list: (_since, _now, _asking, after, limit) =>
        rows(limit, (index) => ({
          user: user(Number(after.slice(0, 8)) + index),
          isBot: true,
          online: true,
          lastOnlineTime: time,
        })),
    },
    blocks: {
      ...store.blocks,
      listBlocks: (_blockerId, after, limit) =>
        rows(limit, (index) => ({ user: user(Number(after.slice(0, 8)) + index), createTime: time })),
    },
    logIns: {
      ...store.logIns,
      listLogIns: (_userId, before, limit) =>
        rows(limit, (index) => ({
          logInId: before - index,
          username: "u".repeat(limits.passwordBytes),
          deviceId: base,
          client,
          address,
          outcome: "wrong-password" as const,
          time,
          count: 2 ** 31,
          firstTime: time,
        })),
    },
    identities: {
      ...store.identities,
      listDevices: (_userId, after, limit) =>
        rows(limit, (index) => ({
          deviceId: after + index,
          deviceName: client.deviceName,
          certificate: new Uint8Array(limits.deviceCertificateBytes),
          fingerprint: "f".repeat(95),
          signature: new Uint8Array(limits.signatureBytes),
        })),
    },
    onExternalChange: (listener) => store.onExternalChange(listener),
    onProblem: (listener) => store.onProblem(listener),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

interface Sized {
  readonly bytes: number;
  readonly nextPageToken: string;
}

function sized<T extends { nextPageToken: string }>(
  codec: { encode(response: T): { finish(): Uint8Array } },
  response: T,
): Sized {
  return { bytes: codec.encode(response).finish().length, nextPageToken: response.nextPageToken };
}

const most = { pageSize: 1000, background: false };
const inLog = {
  target: { target: { $case: "username", value: "bob" } },
  fromSeq: 0n,
  toSeq: 0n,
  fromTime: undefined,
  toTime: undefined,
  order: 0,
} as const;

/** A request for the largest page of each method that returns a list. */
const lists: Record<string, (client: TestClient, pageToken: string) => Promise<Sized>> = {
  "AdminService.ListAccounts": async (c, pageToken) =>
    sized(ListAccountsResponse, await c.unary(c.admin, c.admin.listAccounts, { ...most, pageToken })),
  "AdminService.ListUserSessions": async (c, pageToken) =>
    sized(
      ListUserSessionsResponse,
      await c.unary(c.admin, c.admin.listUserSessions, { ...most, pageToken, username: "bob" }),
    ),
  "AdminService.ListAdminActions": async (c, pageToken) =>
    sized(ListAdminActionsResponse, await c.unary(c.admin, c.admin.listAdminActions, { ...most, pageToken })),
  "AuthService.ListDevices": async (c, pageToken) =>
    sized(ListDevicesResponse, await c.unary(c.auth, c.auth.listDevices, { ...most, pageToken })),
  "AuthService.ListSessions": async (c, pageToken) =>
    sized(ListSessionsResponse, await c.unary(c.auth, c.auth.listSessions, { ...most, pageToken })),
  "AuthService.ListLogIns": async (c, pageToken) =>
    sized(
      ListLogInsResponse,
      await c.unary(c.auth, c.auth.listLogIns, { ...most, pageToken, allUsers: true, username: "" }),
    ),
  "BlockService.ListBlocks": async (c, pageToken) =>
    sized(ListBlocksResponse, await c.unary(c.blocks, c.blocks.listBlocks, { ...most, pageToken })),
  "DirectoryService.ListUsers": async (c, pageToken) =>
    sized(
      ListUsersResponse,
      await c.unary(c.directory, c.directory.listUsers, { ...most, pageToken, onlineWithin: undefined }),
    ),
  "DirectoryService.SearchUsers": async (c, pageToken) =>
    sized(
      SearchUsersResponse,
      await c.unary(c.directory, c.directory.searchUsers, { ...most, pageToken, prefix: "u" }),
    ),
  "HistoryService.ListConversations": async (c, pageToken) =>
    sized(
      ListConversationsResponse,
      await c.unary(c.history, c.history.listConversations, { ...most, pageToken }),
    ),
  "HistoryService.ListMessages": async (c, pageToken) =>
    sized(
      ListMessagesResponse,
      await c.unary(c.history, c.history.listMessages, { ...most, ...inLog, pageToken }),
    ),
  "IdentityService.ListDeviceKeys": async (c, pageToken) =>
    sized(
      ListDeviceKeysResponse,
      await c.unary(c.identity, c.identity.listDeviceKeys, { ...most, pageToken }),
    ),
};

/** Methods whose response has a list that is short by itself, with the reason. */
const short: Record<string, string> = {
  "ServerService.GetServerInfo": "one number for each family of events",
  "AdminService.ListInvites": "1,000 invites of 48 bytes",
};

test("every unary method with a list in its response is among those whose size is tested", () => {
  const image = fromBinary(FileDescriptorSetSchema, readFileSync(join(root, "gen", "parley.binpb")));
  const methods: string[] = [];
  for (const type of createFileRegistry(image)) {
    if (type.kind !== "service" || !type.typeName.startsWith("parley.chat.v1.")) continue;
    for (const method of type.methods) {
      const hasList = method.output.fields.some(({ fieldKind }) => fieldKind === "list");
      if (method.methodKind === "unary" && hasList) methods.push(`${type.name}.${method.name}`);
    }
  }
  expect(methods.toSorted()).toEqual([...Object.keys(lists), ...Object.keys(short)].toSorted());
});

test.each(Object.entries(lists))("a page of %s has at most limits.pageBytes", async (method, call) => {
  // The messages are real rows; every other list is as large as the store could make it.
  const isLog = method === "HistoryService.ListMessages";
  await using server = await TestServer.start({
    users: ["ada", "bob"],
    ...(isLog ? {} : { wrapStore: largest }),
  });
  const ada = await server.logIn("ada");
  if (isLog) {
    await Promise.all(Array.from({ length: 50 }, () => ada.send("bob", "x".repeat(limits.contentBytes - 8))));
  }
  const sizes: number[] = [];
  for (let pageToken = ""; sizes.length < 3; ) {
    const response = await call(ada, pageToken);
    sizes.push(response.bytes);
    pageToken = response.nextPageToken;
    expect(pageToken).not.toBe("");
  }
  expect(Math.max(...sizes)).toBeLessThanOrEqual(limits.pageBytes);
  expect(Math.max(...sizes)).toBeGreaterThan(limits.pageBytes / 10);
});

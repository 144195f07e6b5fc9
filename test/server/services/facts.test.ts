// The facts of refusals for programs: metadata says in numbers what the sentence says, in calls and on streams.
import { describe, expect, test } from "vitest";
import type { RpcError } from "../../../rpc/status/status.ts";
import { limits } from "../../../server/limits.ts";
import { factNames } from "../../../server/reasons.ts";
import { readPage, sectionOf } from "../../repo/markdown.ts";
import type { TestClient } from "../../support/client.ts";
import { passwordOf, TestServer } from "../../support/server.ts";

const noTimes = { deliveredTime: undefined, readTime: undefined };
const text = (value: string) => ({ kind: { $case: "text", value } }) as const;

async function refused(call: Promise<unknown>): Promise<RpcError> {
  return call.then(
    () => {
      throw new Error("it was not refused");
    },
    (error: unknown) => error as RpcError,
  );
}

type Call = (client: TestClient, server: TestServer) => Promise<unknown>;

const calls: Record<string, [Call, Record<string, string>]> = {
  "a content that is too large": [
    (client) => client.send("han", "x".repeat(limits.contentBytes)),
    { maximum: "32768", unit: "bytes", actual: String(limits.contentBytes + 4) },
  ],
  "a request that is too large": [
    (client) => client.send("han", "x".repeat(limits.requestBytes)),
    { maximum: expect.stringMatching(/^\d{6}$/), unit: "bytes", actual: expect.stringMatching(/^\d+$/) },
  ],
  "a client message id of 2^63": [
    (client) => client.send("han", "hello", 2n ** 63n),
    { maximum: "9223372036854775807", actual: "9223372036854775808" },
  ],
  "too many markers": [
    (client) => {
      const one = { conversationId: "c1", deliveredSeq: 0n, readSeq: 0n, ...noTimes };
      const markers = Array.from({ length: 1_001 }, () => one);
      return client.unary(client.chat, client.chat.setMarkers, { markers });
    },
    { minimum: "1", maximum: "1000", unit: "items", actual: "1001" },
  ],
  "a short password": [
    (client) => {
      const request = { oldPassword: passwordOf("leia"), newPassword: "short" };
      return client.unary(client.auth, client.auth.changePassword, request);
    },
    { minimum: "8", unit: "characters" },
  ],
  "a new user name that is too long": [
    (_client, server) => {
      const stranger = server.anonymous();
      const request = { username: "x".repeat(65), password: "long enough 1", invite: "x", client: undefined };
      return stranger.unary(stranger.auth, stranger.auth.signUp, request);
    },
    { maximum: "64", unit: "bytes" },
  ],
  "a long user name": [
    (_client, server) => server.anonymous().logIn("x".repeat(limits.passwordBytes + 1), "x"),
    { maximum: "256", unit: "bytes" },
  ],
  "a prefix that is too long": [
    (client) => {
      const request = { prefix: "x".repeat(65), pageSize: 0, pageToken: "", background: false };
      return client.unary(client.directory, client.directory.searchUsers, request);
    },
    { minimum: "1", maximum: "64", unit: "bytes", actual: "65" },
  ],
};

test.each(Object.entries(calls))("%s", async (_name, [call, metadata]) => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const error = await refused(call(await server.logIn("leia"), server));
  expect(error.domain).toBe("parley.chat.v1");
  expect(error.metadata).toEqual(metadata);
});

describe("of several markers", () => {
  test("each refused one is named in a call, and the others are stored", async () => {
    await using server = await TestServer.start({ users: ["leia", "han", "luke"] });
    const leia = await server.logIn("leia");
    const withHan = await leia.send("han", "one");
    const withLuke = await leia.send("luke", "one");
    const marker = (conversationId: string, deliveredSeq: bigint) => {
      return { conversationId, deliveredSeq, readSeq: 0n, ...noTimes };
    };
    const markers = [
      marker(withHan.conversationId, 2n),
      marker(withLuke.conversationId, 1n),
      marker("c99", 1n),
      marker("not an id", 1n),
    ];
    const error = await refused(leia.unary(leia.chat, leia.chat.setMarkers, { markers }));
    expect(error.fields.toSorted((a, b) => (a.field < b.field ? -1 : 1))).toEqual([
      { field: "markers[0]", reason: "MARKER_BEYOND_HEAD" },
      { field: "markers[2].conversation_id", reason: "CONVERSATION_NOT_FOUND" },
      { field: "markers[3].conversation_id", reason: "CONVERSATION_NOT_FOUND" },
    ]);
    expect(error.metadata.refused_markers).toBe("3");
    const target = { target: { $case: "username", value: "luke" } as const };
    const stored = await leia.unary(leia.history, leia.history.getConversation, {
      target,
      background: false,
    });
    expect(stored.conversation?.marker?.deliveredSeq).toBe(1n);
  });

  test("each refused one has a Refused on a stream, with the head", async () => {
    await using server = await TestServer.start({ users: ["leia", "han"] });
    const leia = await server.logIn("leia");
    const { conversationId } = await leia.send("han", "one");
    using stream = await leia.connect().caughtUp();
    const wrong = { conversationId, deliveredSeq: 5n, readSeq: 0n, ...noTimes };
    const unknown = { ...wrong, conversationId: "c99" };
    stream.write({ kind: { $case: "setMarkers", value: { markers: [wrong, unknown] } } });
    while (stream.all("refused").length < 2) await stream.change();
    const answers = stream.all("refused").toSorted((a, b) => (a.field < b.field ? -1 : 1));
    expect(answers).toMatchObject([
      { field: "markers[0]", conversationId, metadata: { head_seq: "1" } },
      { field: "markers[1].conversation_id", conversationId: "c99", metadata: {} },
    ]);
  });
});

test("a cursor beyond the head is refused with the head", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const { conversationId } = await leia.send("han", "one");
  using stream = leia.connect({ cursors: [{ conversationId, seq: 7n }] });
  expect(await stream.ended).toMatchObject({
    reason: "CURSOR_BEYOND_HEAD",
    field: "hello.cursors[0].seq",
    metadata: { head_seq: "1" },
  });
});

test("a content that is too large is refused on a stream with the same facts as in a call", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  using stream = await leia.connect().caughtUp();
  const content = text("x".repeat(limits.contentBytes));
  const target = { target: { $case: "username", value: "han" } as const };
  stream.write({ kind: { $case: "sendMessage", value: { clientMessageId: 1n, target, content } } });
  const { metadata } = await stream.next("refused");
  expect(metadata).toEqual((await refused(leia.send("han", "x".repeat(limits.contentBytes)))).metadata);
});

test("docs/errors.md describes exactly the facts that the server sends", () => {
  const rows = sectionOf(readPage("docs/errors.md"), "## Facts for programs").matchAll(/^\| (`[^|]*`) \|/gm);
  const described = [...rows].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, key]) => key),
  );
  expect(described.toSorted()).toEqual([...factNames].toSorted());
});

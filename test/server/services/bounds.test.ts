// The bounds that the comments of the contract state: the last value within each is accepted, and the next one is refused.
import { expect, test } from "vitest";
import type { ClientInfo } from "../../../gen/parley/chat/v1/chat_service.ts";
import { limits } from "../../../server/limits.ts";
import { meanings } from "../../../server/reasons.ts";
import type { Store } from "../../../server/store/store.ts";
import type { TestClient } from "../../support/client.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { passwordOf, TestServer } from "../../support/server.ts";

const client = (info: Partial<ClientInfo> = {}): ClientInfo => ({
  name: "",
  version: "",
  deviceName: "",
  ...info,
});

async function outcome(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "",
    (error: { reason?: string; field?: string }) => `${error.reason} ${error.field ?? ""}`.trim(),
  );
}

function logIn(stranger: TestClient, change: object) {
  const request = { username: "leia", password: passwordOf("leia"), device: undefined, client: undefined };
  return stranger.unary(stranger.auth, stranger.auth.logIn, { ...request, ...change });
}

function signUp(stranger: TestClient, change: object) {
  const request = { username: "new", password: "long enough 1", invite: "", client: undefined };
  return stranger.unary(stranger.auth, stranger.auth.signUp, { ...request, ...change });
}

/** A call with a text of that many bytes, the field, the bound, and the outcome within it. */
const texts: [string, number, string, (stranger: TestClient, text: string) => Promise<unknown>][] = [
  ["client.name", 64, "", (one, name) => logIn(one, { client: client({ name }) })],
  ["client.version", 64, "", (one, version) => logIn(one, { client: client({ version }) })],
  ["client.device_name", 64, "", (one, deviceName) => logIn(one, { client: client({ deviceName }) })],
  [
    "device.device_id",
    32,
    "DEVICE_INVALID device.device_id",
    (one, deviceId) => logIn(one, { device: { deviceId, deviceSecret: "x" } }),
  ],
  [
    "device.device_secret",
    64,
    "DEVICE_INVALID device",
    (one, deviceSecret) => logIn(one, { device: { deviceId: "d99", deviceSecret } }),
  ],
  ["password", 256, "CREDENTIALS_WRONG", (one, password) => logIn(one, { password })],
  ["invite", 64, "INVITE_INVALID invite", (one, invite) => signUp(one, { invite })],
];

test.each(texts)("%s has at most %i bytes", async (field, most, within, call) => {
  await using server = await TestServer.start({ users: ["leia"], signUp: "invite" });
  const stranger = server.anonymous();
  expect(await outcome(call(stranger, "x".repeat(most)))).toBe(within);
  expect(await outcome(call(stranger, "x".repeat(most + 1)))).toBe(`INVALID_FIELD ${field}`);
});

test.each<[string, object, string]>([
  ["process_id", { processId: "x".repeat(33) }, "hello.process_id"],
  ["client.name", { client: client({ name: "x".repeat(65) }) }, "hello.client.name"],
])("a Hello whose %s is too long ends the stream", async (_name, hello, field) => {
  await using server = await TestServer.start({ users: ["leia"] });
  const leia = await server.logIn("leia");
  using stream = leia.connect(hello);
  expect(await stream.ended).toMatchObject({ reason: "INVALID_FIELD", field });
});

test("a server that is closed for sign-up says so, with an invite as well", async () => {
  await using server = await TestServer.start({ signUp: "closed" });
  expect(await outcome(signUp(server.anonymous(), { invite: "x" }))).toBe("SIGN_UP_CLOSED");
});

test("CaughtUp and Welcome have the time of the server's clock", async () => {
  const clock = new ManualClock(Date.UTC(2031, 4, 5));
  await using server = await TestServer.start({ users: ["leia"], clock });
  const leia = await server.logIn("leia");
  using stream = await leia.connect().caughtUp();
  expect(stream.all("welcome")[0]?.serverTime).toEqual(new Date(clock.now()));
  expect(stream.all("caughtUp")[0]?.serverTime).toEqual(new Date(clock.now()));
});

test("typing can be set in direct conversations only, and names no conversation before the first message", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  using atHan = await han.connect().caughtUp();
  const set = (target: { $case: "username" | "conversationId"; value: string }) =>
    leia.unary(leia.chat, leia.chat.setTyping, { target: { target }, typing: true });
  await set({ $case: "username", value: "han" });
  expect((await atHan.next("typingChanged")).conversationId).toBe("");
  const { conversationId } = await leia.send("han", "hello");
  await set({ $case: "username", value: "han" });
  expect((await atHan.next("typingChanged")).conversationId).toBe(conversationId);
  const everyone = atHan.all("welcome")[0]?.broadcastConversationId ?? "";
  expect(await outcome(set({ $case: "conversationId", value: everyone }))).toBe("INVALID_FIELD target");
});

/** A store that notes the arguments of its lists, and finds nothing. */
function noting(seen: unknown[][]): (store: Store) => Store {
  const empty = (...args: unknown[]) => {
    seen.push(args);
    return Promise.resolve([]);
  };
  return (store) => ({
    ...store,
    serverId: store.serverId,
    broadcastId: store.broadcastId,
    accounts: { ...store.accounts, listSessions: empty, listUserDevices: empty, searchUsers: empty },
    log: {
      ...store.log,
      append: (entry) => store.log.append(entry),
      follow: (follower) => store.log.follow(follower),
      conversations: empty,
    },
    presence: { ...store.presence, list: empty },
    blocks: { ...store.blocks, listBlocks: empty },
    logIns: { ...store.logIns, listLogIns: empty },
    identities: { ...store.identities, listDevices: empty },
    onExternalChange: (listener) => store.onExternalChange(listener),
    onProblem: (listener) => store.onProblem(listener),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  });
}

type List = (client: TestClient, page: { pageSize: number; pageToken: string }) => Promise<unknown>;

const lists: Record<string, List> = {
  ListSessions: (one, page) => one.unary(one.auth, one.auth.listSessions, page),
  ListDevices: (one, page) => one.unary(one.auth, one.auth.listDevices, page),
  ListLogIns: (one, page) =>
    one.unary(one.auth, one.auth.listLogIns, { ...page, allUsers: false, username: "" }),
  ListBlocks: (one, page) => one.unary(one.blocks, one.blocks.listBlocks, page),
  ListUsers: (one, page) => {
    const request = { ...page, onlineWithin: undefined, background: false };
    return one.unary(one.directory, one.directory.listUsers, request);
  },
  SearchUsers: (one, page) =>
    one.unary(one.directory, one.directory.searchUsers, { ...page, prefix: "x", background: false }),
  ListConversations: (one, page) =>
    one.unary(one.history, one.history.listConversations, { ...page, background: false }),
  ListDeviceKeys: (one, page) => one.unary(one.identity, one.identity.listDeviceKeys, page),
};

test.each(Object.entries(lists))(
  "a page of %s has 100 items by default, and at most 1,000",
  async (_name, list) => {
    const seen: unknown[][] = [];
    await using server = await TestServer.start({ users: ["leia"], wrapStore: noting(seen) });
    const leia = await server.logIn("leia");
    const asked = async (pageSize: number): Promise<unknown> => {
      seen.length = 0;
      await list(leia, { pageSize, pageToken: "" });
      // The service asks for one more, to learn whether there is a next page.
      return seen.flat().find((value) => typeof value === "number" && value > 1 && value <= 2_000);
    };
    expect(await asked(0)).toBe(limits.pageDefault + 1);
    expect(await asked(7)).toBe(8);
    expect(await asked(1_000)).toBe(1_001);
    expect(await asked(1_001)).toBe(1_001);
    expect(await asked(2 ** 32 - 1)).toBe(limits.pageMost + 1);
  },
);

test("Welcome has the first page of the users online by name, and ListUsers the next one", async () => {
  const names = Array.from({ length: 103 }, (_, index) => `user ${String(index).padStart(3, "0")}`);
  await using server = await TestServer.start({ users: ["leia", ...names] });
  const { accounts, nodes, presence } = server.store;
  const epoch = await nodes.take("other", Date.now(), Date.now() + 60_000);
  for (const [streamId, name] of names.toReversed().entries()) {
    const userId = (await accounts.userByName(name))?.userId ?? 0;
    const stream = { epoch, streamId, userId, sessionId: 1_000 + streamId, processId: "" };
    await presence.open(stream, Date.now(), { streams: 1, sessions: 1 });
  }
  const leia = await server.logIn("leia");
  using stream = await leia.connect().caughtUp();
  const [welcome] = stream.all("welcome");
  expect(welcome?.online.map(({ username }) => username)).toEqual(names.slice(0, limits.pageDefault));
  const rest = await leia.unary(leia.directory, leia.directory.listUsers, {
    onlineWithin: undefined,
    pageSize: 0,
    pageToken: welcome?.onlineNextPageToken ?? "",
    background: true,
  });
  expect(rest.users.map(({ user }) => user?.username)).toEqual(names.slice(limits.pageDefault));
  expect(rest.nextPageToken).toBe("");
});

test("the sentence of each reason has at most 1,024 bytes", () => {
  const long = Object.values(meanings).filter(({ message }) => Buffer.byteLength(message) > 1_024);
  expect(long).toEqual([]);
});

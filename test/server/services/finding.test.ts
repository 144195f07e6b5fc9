// What a client can find out before it acts: about the server without a token, about users, and about one conversation.
import { expect, test } from "vitest";
import { Feature } from "../../../gen/parley/chat/v1/event.ts";
import { SignUpMode } from "../../../gen/parley/chat/v1/server_service.ts";
import { limits } from "../../../server/limits.ts";
import type { TestClient } from "../../support/client.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { TestServer } from "../../support/server.ts";

const byName = (username: string) => ({
  user: { $case: "username", value: username } as const,
  background: false,
});
const byId = (userId: string) => ({ user: { $case: "userId", value: userId } as const, background: false });
const idOf = (client: TestClient): string => client.grant?.user?.userId ?? "";

async function search(client: TestClient, prefix: string, pageSize = 0, pageToken = "") {
  const request = { prefix, pageSize, pageToken, background: false };
  const { users, nextPageToken } = await client.unary(
    client.directory,
    client.directory.searchUsers,
    request,
  );
  return { names: users.map(({ username }) => username), nextPageToken };
}

test("GetServerInfo needs no token, and says the same as Welcome", async () => {
  const clock = new ManualClock();
  const rules = { signUp: "open", callRate: 40, sessionsPerUser: 3, idleTimeoutMs: 90_500 } as const;
  await using server = await TestServer.start({
    users: ["leia"],
    version: "1.2.3",
    clock,
    relay: false,
    ...rules,
  });
  const stranger = server.anonymous();
  const info = await stranger.unary(stranger.server, stranger.server.getServerInfo, {});
  expect(info).toMatchObject({
    serverId: server.store.serverId,
    version: "1.2.3",
    signUp: SignUpMode.OPEN,
    serverTime: new Date(clock.now()),
    features: [Feature.PRESENCE, Feature.TYPING, Feature.MARKERS, Feature.INTRODUCTIONS],
    relay: false,
  });
  expect(info.limits).toMatchObject({
    maxContentBytes: limits.contentBytes,
    maxCallsPerSecond: 40,
    maxOnlineSessions: 3,
    idleTimeout: { seconds: 90n, nanos: 500_000_000 },
  });
  const leia = await server.logIn("leia");
  using stream = await leia.connect().caughtUp();
  const [welcome] = stream.all("welcome");
  expect(welcome?.limits).toEqual(info.limits);
  expect(welcome?.serverId).toBe(info.serverId);
});

test.each([
  ["closed", SignUpMode.CLOSED],
  ["invite", SignUpMode.INVITE],
] as const)("GetServerInfo names the sign-up mode %s", async (signUp, expected) => {
  await using server = await TestServer.start({ signUp });
  const stranger = server.anonymous();
  expect((await stranger.unary(stranger.server, stranger.server.getServerInfo, {})).signUp).toBe(expected);
});

test("GetUser finds a user by name and by id, with the presence that ListUsers tells", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: ["leia", "han", "luke"], clock });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  const get = async (request: ReturnType<typeof byName> | ReturnType<typeof byId>) =>
    (await leia.unary(leia.directory, leia.directory.getUser, request)).user;
  const user = { userId: idOf(han), username: "han" };
  expect(await get(byName("han"))).toEqual({ user, bot: false, online: false, lastOnlineTime: undefined });
  using _online = await han.connect().caughtUp();
  expect(await get(byId(idOf(han)))).toEqual({
    user,
    bot: false,
    online: true,
    lastOnlineTime: new Date(clock.now()),
  });
  await han.logOut();
  await expect.poll(async () => (await get(byName("han")))?.online).toBe(false);
  const left = new Date(clock.now());
  clock.advance(60_000);
  expect(await get(byName("han"))).toEqual({ user, bot: false, online: false, lastOnlineTime: left });
  expect(await get(byName("leia"))).toMatchObject({ user: { username: "leia" } });
  await expect(get(byName("Han"))).rejects.toMatchObject({ reason: "USER_NOT_FOUND", field: "username" });
  await expect(get(byId("u999"))).rejects.toMatchObject({ reason: "USER_NOT_FOUND", field: "user_id" });
  await expect(get(byId("han"))).rejects.toMatchObject({ reason: "USER_NOT_FOUND", field: "user_id" });
  const unnamed = { user: undefined, background: false };
  await expect(leia.unary(leia.directory, leia.directory.getUser, unnamed)).rejects.toMatchObject({
    reason: "INVALID_FIELD",
    field: "user",
  });
});

test("GetUser tells of a user who blocks the caller what it tells of a user who was never online", async () => {
  await using server = await TestServer.start({ users: ["leia", "han", "luke"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  using _online = await han.connect().caughtUp();
  await han.block("leia");
  const luke = await leia.unary(leia.directory, leia.directory.getUser, byName("luke"));
  const blocker = await leia.unary(leia.directory, leia.directory.getUser, byName("han"));
  expect(blocker.user).toEqual({ ...luke.user, user: { userId: idOf(han), username: "han" } });
  expect(await leia.whoelse(3_600)).toEqual([]);
});

test("SearchUsers lists names by their beginning, in pages, without the caller", async () => {
  const users = ["anna", "Anne", "ANTON", "bo", "andré", "Σόλων", "antonia"];
  await using server = await TestServer.start({ users });
  const bo = await server.logIn("bo");
  expect((await search(bo, "an")).names).toEqual(["andré", "anna", "Anne", "ANTON", "antonia"]);
  expect((await search(bo, "ANN")).names).toEqual(["anna", "Anne"]);
  expect((await search(bo, "andre\u0301")).names).toEqual(["andré"]);
  expect((await search(bo, "Ａnn")).names).toEqual(["anna", "Anne"]);
  expect((await search(bo, "σό")).names).toEqual(["Σόλων"]);
  expect((await search(bo, "b")).names).toEqual([]);
  expect((await search(bo, "%")).names).toEqual([]);
  const pages: string[][] = [];
  for (let token = ""; ; ) {
    const page = await search(bo, "a", 2, token);
    pages.push(page.names);
    token = page.nextPageToken;
    if (token === "") break;
    await expect(search(bo, "an", 2, token)).rejects.toMatchObject({ reason: "PAGE_TOKEN_INVALID" });
  }
  expect(pages).toEqual([["andré", "anna"], ["Anne", "ANTON"], ["antonia"]]);
  const anton = await server.logIn("ANTON");
  await anton.block("bo");
  expect((await search(bo, "anto")).names).toEqual(["ANTON", "antonia"]);
  await server.store.accounts.removeUser("antonia");
  expect((await search(bo, "anto")).names).toEqual(["ANTON"]);
  for (const prefix of ["", "x".repeat(limits.usernameBytes + 1)]) {
    await expect(search(bo, prefix)).rejects.toMatchObject({ reason: "INVALID_FIELD", field: "prefix" });
  }
});

test("a user id is a target of its own: for sends, typing, and the history", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  const to = (userId: string) => ({ target: { $case: "userId", value: userId } as const });
  const send = (userId: string) =>
    leia.unary(leia.chat, leia.chat.sendMessage, {
      clientMessageId: leia.nextId(),
      target: to(userId),
      content: { kind: { $case: "text", value: "by id" } },
    });
  const { ack } = await send(idOf(han));
  expect(ack).toMatchObject({ seq: 1n });
  expect(await leia.textsOf(to(idOf(han)).target)).toEqual(["by id"]);
  expect(await han.textsWith("leia")).toEqual(["by id"]);
  await leia.unary(leia.chat, leia.chat.setTyping, { target: to(idOf(han)), typing: true });
  await expect(send(idOf(leia))).rejects.toMatchObject({
    reason: "RECIPIENT_IS_SELF",
    field: "target.user_id",
  });
  for (const id of ["u999", "han", ""])
    await expect(send(id)).rejects.toMatchObject({ reason: "USER_NOT_FOUND", field: "target.user_id" });
});

test("a conversation with a removed user can be read by name, by user id and by id; a send is refused", async () => {
  await using server = await TestServer.start({ users: ["leia", "han", "luke"] });
  const leia = await server.logIn("leia");
  const luke = await server.logIn("luke");
  const han = await server.logIn("han");
  const { conversationId } = await han.send("leia", "goodbye");
  await server.store.accounts.removeUser("han");
  const targets = [
    { $case: "username", value: "han" },
    { $case: "userId", value: idOf(han) },
    { $case: "conversationId", value: conversationId },
  ] as const;
  for (const target of targets) {
    expect(await leia.textsOf(target)).toEqual(["goodbye"]);
    const request = { target: { target }, background: false };
    const { conversation } = await leia.unary(leia.history, leia.history.getConversation, request);
    expect(conversation).toMatchObject({ conversationId, peer: { username: "han" }, headSeq: 1n });
    const message = { clientMessageId: leia.nextId(), target: { target } };
    const content = { kind: { $case: "text", value: "hello" } } as const;
    await expect(leia.unary(leia.chat, leia.chat.sendMessage, { ...message, content })).rejects.toMatchObject(
      {
        reason: "USER_NOT_FOUND",
      },
    );
  }
  // Those who have no conversation with the removed user do not find the user.
  await expect(luke.textsWith("han")).rejects.toMatchObject({ reason: "USER_NOT_FOUND" });
});

test("GetConversation returns what ListConversations returns, and nothing for a user without a conversation", async () => {
  await using server = await TestServer.start({ users: ["leia", "han", "luke"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  const { conversationId } = await leia.send("han", "one");
  await leia.send("han", "two");
  await han.unary(han.chat, han.chat.setMarkers, {
    markers: [
      { conversationId, deliveredSeq: 2n, readSeq: 1n, deliveredTime: undefined, readTime: undefined },
    ],
  });
  const page = { pageSize: 0, pageToken: "", background: false };
  const { conversations } = await leia.unary(leia.history, leia.history.listConversations, page);
  for (const expected of conversations) {
    const target = { target: { $case: "conversationId", value: expected.conversationId } as const };
    const got = await leia.unary(leia.history, leia.history.getConversation, { target, background: false });
    expect(got.conversation).toEqual(expected);
  }
  const none = { target: { target: { $case: "username", value: "luke" } as const }, background: false };
  expect(await leia.unary(leia.history, leia.history.getConversation, none)).toEqual({
    conversation: undefined,
  });
  const others = await server.logIn("luke");
  const notTheirs = { target: { target: { $case: "conversationId", value: conversationId } as const } };
  await expect(
    others.unary(others.history, others.history.getConversation, { ...notTheirs, background: false }),
  ).rejects.toMatchObject({ reason: "CONVERSATION_NOT_FOUND", field: "target.conversation_id" });
});

// Tests the unary services and the events of a stream from the side of a client.
import { expect, test } from "vitest";
import { ConversationKind } from "../../../gen/parley/chat/v1/conversation.ts";
import { Feature } from "../../../gen/parley/chat/v1/event.ts";
import { PageOrder } from "../../../gen/parley/chat/v1/history_service.ts";
import { limits } from "../../../server/limits.ts";
import { textOf } from "../../support/client.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { TestServer } from "../../support/server.ts";

const noPage = { pageSize: 0, pageToken: "", background: false };

test("both users and the sender's other device receive the same entry", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const phone = await server.logIn("leia");
  const laptop = await server.logIn("leia");
  const han = await server.logIn("han");
  using onPhone = await phone.connect().caughtUp();
  using onLaptop = await laptop.connect().caughtUp();
  using onHan = await han.follow().caughtUp();
  onPhone.send("han", "I love you");
  const ack = await onPhone.next("ack");
  const atHan = await onHan.next("entryAppended");
  expect(atHan.entry).toMatchObject({
    conversationId: ack.conversationId,
    seq: 1n,
    kind: ConversationKind.DIRECT,
    sender: { username: "leia" },
    recipient: { username: "han" },
    sendTime: ack.sendTime,
  });
  expect(await onLaptop.next("entryAppended")).toEqual(atHan);
  // The sending stream receives the ack instead of the entry.
  onPhone.send("han", "again");
  await onPhone.next("ack");
  expect(onPhone.all("entryAppended")).toEqual([]);
});

test("ListConversations returns heads and markers, in pages", async () => {
  await using server = await TestServer.start({ users: ["leia", "han", "luke"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  const { conversationId } = await leia.send("han", "one");
  await leia.send("han", "two");
  await leia.send("luke", "one");
  await han.unary(han.chat, han.chat.setMarkers, {
    markers: [
      { conversationId, deliveredSeq: 2n, readSeq: 1n, deliveredTime: undefined, readTime: undefined },
    ],
  });
  const all = await leia.unary(leia.history, leia.history.listConversations, noPage);
  expect(all.conversations.map(({ kind, peer, headSeq }) => [kind, peer?.username, headSeq])).toEqual([
    [ConversationKind.BROADCAST, undefined, 0n],
    [ConversationKind.DIRECT, "han", 2n],
    [ConversationKind.DIRECT, "luke", 1n],
  ]);
  expect(all.conversations[1]?.peerMarker).toMatchObject({ conversationId, deliveredSeq: 2n, readSeq: 1n });
  const first = await leia.unary(leia.history, leia.history.listConversations, {
    pageSize: 2,
    pageToken: "",
    background: false,
  });
  expect(first.conversations).toHaveLength(2);
  const pageToken = first.nextPageToken;
  const second = await leia.unary(leia.history, leia.history.listConversations, {
    pageSize: 2,
    pageToken,
    background: false,
  });
  expect(second.conversations.map(({ peer }) => peer?.username)).toEqual(["luke"]);
  expect(second.nextPageToken).toBe("");
});

test("pages of the history from either end cover every seq once", async () => {
  await using server = await TestServer.start({ users: ["leia", "han", "luke"] });
  const leia = await server.logIn("leia");
  for (let index = 1; index <= 10; index++) await leia.send("han", String(index));
  for (const order of [PageOrder.OLDEST_FIRST, PageOrder.NEWEST_FIRST]) {
    const pages: string[][] = [];
    for (let pageToken = ""; ; ) {
      const page = await leia.unary(leia.history, leia.history.listMessages, {
        target: { target: { $case: "username", value: "han" } },
        fromSeq: 2n,
        toSeq: 9n,
        fromTime: undefined,
        toTime: undefined,
        order,
        pageSize: 3,
        pageToken,
        background: false,
      });
      pages.push(
        page.items.map(({ item }) => (item?.$case === "entry" ? textOf({ entry: item.value }) : "?")),
      );
      pageToken = page.nextPageToken;
      if (pageToken === "") break;
    }
    expect(pages).toEqual(
      order === PageOrder.OLDEST_FIRST
        ? [
            ["2", "3", "4"],
            ["5", "6", "7"],
            ["8", "9"],
          ]
        : [
            ["7", "8", "9"],
            ["4", "5", "6"],
            ["2", "3"],
          ],
    );
  }
  const nothing = await leia.unary(leia.history, leia.history.listMessages, {
    target: { target: { $case: "username", value: "luke" } },
    fromSeq: 0n,
    toSeq: 0n,
    fromTime: undefined,
    toTime: undefined,
    order: 0,
    ...noPage,
  });
  expect(nothing).toMatchObject({ items: [], conversationId: "", headSeq: 0n });
});

test("markers rise, are sent to both users, and are part of the next backlog", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  using atLeia = await leia.connect().caughtUp();
  const { conversationId } = await leia.send("han", "one");
  await leia.send("han", "two");
  using atHan = await han.connect().caughtUp();
  atHan.write({
    kind: {
      $case: "setMarkers",
      value: {
        markers: [
          { conversationId, deliveredSeq: 2n, readSeq: 0n, deliveredTime: undefined, readTime: undefined },
        ],
      },
    },
  });
  expect(await atLeia.next("markersMoved")).toMatchObject({
    user: { username: "han" },
    deliveredSeq: 2n,
    readSeq: 0n,
  });
  atHan.write({
    kind: {
      $case: "setMarkers",
      value: {
        markers: [
          { conversationId, deliveredSeq: 1n, readSeq: 2n, deliveredTime: undefined, readTime: undefined },
        ],
      },
    },
  });
  expect(await atLeia.next("markersMoved")).toMatchObject({
    user: { username: "han" },
    deliveredSeq: 2n,
    readSeq: 2n,
  });
  using later = await leia.connect({ cursors: [{ conversationId, seq: 2n }] }).caughtUp();
  expect(later.all("markersMoved")).toContainEqual(
    expect.objectContaining({ user: expect.objectContaining({ username: "han" }), readSeq: 2n }),
  );
  using withoutMarkers = await leia.connect({ features: [Feature.PRESENCE] }).caughtUp();
  expect(withoutMarkers.all("markersMoved")).toEqual([]);
});

test("typing is sent to the other user", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  using atHan = await han.connect().caughtUp();
  const target = { target: { $case: "username", value: "han" } } as const;
  await leia.unary(leia.chat, leia.chat.setTyping, { target, typing: true });
  expect(await atHan.next("typingChanged")).toEqual({
    conversationId: "",
    user: leia.grant?.user,
    typing: true,
  });
  const { conversationId } = await leia.send("han", "hello");
  using atLeia = await leia.connect().caughtUp();
  atLeia.write({ kind: { $case: "setTyping", value: { target, typing: false } } });
  expect(await atHan.next("typingChanged")).toMatchObject({ conversationId, typing: false });
});

test("a user is online from the first device until the grace period after the last one", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: ["leia", "han"], presenceGraceMs: 10_000, clock });
  const leia = await server.logIn("leia");
  using watching = await leia.connect().caughtUp();
  const phone = await server.logIn("han");
  const laptop = await server.logIn("han");
  const isHan = ({ username }: { username: string }) => username === "han";
  const changesOf = (name: string) =>
    watching
      .all("presenceChanged")
      .flatMap(({ cameOnline, wentOffline }) => [...cameOnline, ...wentOffline])
      .filter(({ username }) => username === name);
  const first = await phone.connect().caughtUp();
  clock.advance(limits.presenceJoinMs);
  await watching.next("presenceChanged", ({ cameOnline }) => cameOnline.some(isHan));
  const second = await laptop.connect().caughtUp();
  expect(changesOf("han")).toHaveLength(1);
  const listed = await leia.unary(leia.directory, leia.directory.listUsers, {
    onlineWithin: undefined,
    ...noPage,
  });
  expect(listed.users.map(({ user, online }) => [user?.username, online])).toEqual([["han", true]]);
  first[Symbol.dispose]();
  second[Symbol.dispose]();
  clock.advance(9_000);
  // Within the grace period han stays online.
  using back = await phone.connect().caughtUp();
  expect(back.all("welcome")[0]?.online.map((user) => user.username)).toEqual(["leia"]);
  back[Symbol.dispose]();
  const isGone = ({ wentOffline }: { wentOffline: { username: string }[] }) => wentOffline.some(isHan);
  await expect
    .poll(() => {
      clock.advance(1_000);
      return watching.all("presenceChanged").some(isGone);
    })
    .toBe(true);
  expect(changesOf("han")).toHaveLength(2);
  const now = await leia.unary(leia.directory, leia.directory.listUsers, {
    onlineWithin: undefined,
    ...noPage,
  });
  expect(now.users).toEqual([]);
  const since = await leia.unary(leia.directory, leia.directory.listUsers, {
    onlineWithin: { seconds: 315_576_000_000n, nanos: 0 },
    ...noPage,
  });
  expect(since.users.map(({ user, online }) => [user?.username, online])).toEqual([["han", false]]);
});

test("a log-out ends the grace period of its own session and of no other", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"], presenceGraceMs: 60_000 });
  const leia = await server.logIn("leia");
  using watching = await leia.connect().caughtUp();
  const phone = await server.logIn("han");
  const laptop = await server.logIn("han");
  const stream = await phone.connect().caughtUp();
  stream[Symbol.dispose]();
  await stream.ended;
  // The log-out of another session does not end the grace period.
  await laptop.unary(laptop.auth, laptop.auth.logOut, {});
  const during = await leia.unary(leia.directory, leia.directory.listUsers, {
    onlineWithin: undefined,
    ...noPage,
  });
  expect(during.users.map(({ user }) => user?.username)).toEqual(["han"]);
  await phone.unary(phone.auth, phone.auth.logOut, {});
  await watching.next("presenceChanged", ({ wentOffline }) => wentOffline[0]?.username === "han");
});

test("an invite can be used once, and a wrong invite does not reveal whether a name is taken", async () => {
  const { hashSecret } = await import("../../../server/auth/tokens.ts");
  await using server = await TestServer.start({ users: ["leia"] });
  await server.store.accounts.addInvite(hashSecret("come-in"), 1, Date.now() + 60_000, Date.now());
  const stranger = server.anonymous();
  const signUp = (username: string, invite: string) =>
    stranger.unary(stranger.auth, stranger.auth.signUp, {
      username,
      password: "long enough",
      invite,
      client: undefined,
    });
  await expect(signUp("leia", "made-up")).rejects.toMatchObject({ reason: "INVITE_INVALID" });
  await expect(signUp("leia", "come-in")).rejects.toMatchObject({ reason: "USERNAME_TAKEN" });
  expect((await signUp("rey", "come-in")).grant?.user?.username).toBe("rey");
  await expect(signUp("finn", "come-in")).rejects.toMatchObject({ reason: "INVITE_INVALID" });
});

test("a device authenticates itself with its secret and keeps its id", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const device = leia.grant?.device;
  const again = (username: string, secret: string) =>
    leia.unary(leia.auth, leia.auth.logIn, {
      username,
      password: `password of ${username}`,
      device: { deviceId: device?.deviceId ?? "", deviceSecret: secret },
      client: { name: "test", version: "1", deviceName: "laptop" },
    });
  const { grant } = await again("leia", device?.deviceSecret ?? "");
  expect(grant?.device).toEqual({ deviceId: device?.deviceId, deviceSecret: "" });
  await expect(again("leia", "made-up")).rejects.toMatchObject({ reason: "DEVICE_INVALID" });
  await expect(again("han", device?.deviceSecret ?? "")).rejects.toMatchObject({ reason: "DEVICE_INVALID" });
  const { sessions } = await leia.unary(leia.auth, leia.auth.listSessions, noPage);
  expect(sessions.map(({ client, current, address }) => [client?.deviceName, current, address])).toEqual([
    ["laptop", false, "127.0.0.1"],
    ["", true, "127.0.0.1"],
  ]);
});

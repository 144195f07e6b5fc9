// Questions for a private chat: who hears of one, who may answer, what is held meanwhile, and how each is over.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LinkEvent } from "../../client/link/model/events.ts";
import { NotSentError } from "../../client/peer/conversation/line-rules.ts";
import { ConnectError } from "../../rpc/status/connect-error.ts";
import { FaultyProxy } from "../client/cli/faults.ts";
import { ask, device, introduce, reportAs, taking } from "../scenarios/private.ts";
import { reasonOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { chatting, newInstallation, Somebody } from "./somebody.ts";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ users: ["luke", "yoda", "leia", "vader"], sessionsPerUser: 9 });
});
afterAll(() => server[Symbol.asyncDispose]());

const sitDown = (name: string, options = {}) => Somebody.sitDown(server.port, name, options);

test("what is said while the other is asked is held, and said on yes", async () => {
  await using luke = await sitDown("luke");
  await using yoda = await sitDown("yoda");
  await luke.chats.start("yoda", { direct: false });
  expect(luke.chats.send("yoda", "first")).toBe("queued");
  expect(luke.chats.send("yoda", "second")).toBe("queued");
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept");
  expect(await yoda.hears("luke", 2)).toEqual(["first", "second"]);
});

test("what was held is given back on no, and when the question is taken back", async () => {
  await using luke = await sitDown("luke");
  await using yoda = await sitDown("yoda");
  await luke.chats.start("yoda", { direct: false });
  luke.chats.send("yoda", "a secret");
  await yoda.next("requested");
  await yoda.chats.answer("luke", "refuse");
  expect(await luke.next("failed")).toMatchObject({
    error: { reason: "INTRODUCTION_REFUSED" },
    queued: ["a secret"],
  });
  await luke.chats.start("yoda", { direct: false });
  luke.chats.send("yoda", "another");
  await yoda.next("requested");
  await luke.chats.stop("yoda");
  expect((await luke.next("failed")).queued).toEqual(["another"]);
  expect((await yoda.next("request-closed")).username).toBe("luke");
  await expect(yoda.chats.answer("luke", "accept")).rejects.toThrow(NotSentError);
});

test("what is held fits into the chat that opens, and what could never be said is not held", async () => {
  await using luke = await sitDown("luke");
  await using yoda = await sitDown("yoda");
  await luke.chats.start("yoda", { direct: false });
  expect(() => luke.chats.send("yoda", "x".repeat(40_000))).toThrow("too long");
  expect(() => luke.chats.send("yoda", "")).toThrow(NotSentError);
  const long = "x".repeat(30_000);
  const holdMany = (): void => {
    for (let line = 0; line < 100; line++) luke.chats.send("yoda", long);
  };
  expect(holdMany).toThrow("no more can be held");
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept");
  expect(await yoda.hears("luke", 4)).toEqual([long, long, long, long]);
  await luke.chats.stop("yoda");
  await luke.next("ended");
});

test("what is said while nobody can be asked yet is given back where nobody can", async () => {
  await using luke = await sitDown("luke");
  const starting = luke.chats.start("leia", { direct: false });
  expect(luke.chats.send("leia", "are you there?")).toBe("queued");
  await expect(starting).rejects.toMatchObject({ reason: "USER_OFFLINE" });
  expect(await luke.next("failed")).toMatchObject({ username: "leia", queued: ["are you there?"] });
});

test("a question that a new stream brings again while it is answered is over with the answer", async () => {
  await using luke = await sitDown("luke");
  await using yoda = await sitDown("yoda");
  const took: LinkEvent[] = [];
  const take = yoda.chats.handleLinkEvent.bind(yoda.chats);
  yoda.chats.handleLinkEvent = (event) => {
    took.push(event);
    take(event);
  };
  await luke.chats.start("yoda", { direct: false });
  await yoda.next("requested");
  const answering = yoda.chats.answer("luke", "accept");
  for (const event of took.filter(({ type }) => type === "introduction-requested")) take(event);
  await answering;
  expect(yoda.chats.incomingRequests).toEqual([]);
  await yoda.next("opened");
  await yoda.chats.stop("luke");
  await luke.next("ended");
});

test("what is said to one who was told yes and has not come yet is held, and said first", async () => {
  await using luke = await sitDown("luke");
  await using yoda = await sitDown("yoda");
  await luke.chats.start("yoda", { direct: false });
  await yoda.next("requested");
  const answering = yoda.chats.answer("luke", "accept");
  expect(yoda.chats.pendingPeers).toEqual(["luke"]);
  expect(yoda.chats.send("luke", "right away")).toBe("queued");
  await expect(yoda.chats.start("luke", { direct: false })).rejects.toThrow("is about to open");
  await answering;
  await luke.next("line");
  expect(luke.heard("yoda")).toEqual(["right away"]);
  expect(yoda.chats.pendingPeers).toEqual([]);
});

test.each([
  ["the one who asked says so", "luke"],
  ["it is taken back", "yoda"],
])("a yes of which nothing comes is over at once where %s", async (_, who) => {
  // A program that asks, and does not come.
  const luke = await device(server, "luke");
  await using yoda = await sitDown("yoda");
  const { id } = await ask(luke, "yoda");
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept");
  expect(yoda.chats.pendingPeers).toEqual(["luke"]);
  expect(yoda.chats.send("luke", "are you there?")).toBe("queued");
  if (who === "luke") await reportAs(luke, "", [], [id]);
  else await yoda.chats.stop("luke");
  expect(await yoda.next("failed")).toMatchObject({ username: "luke", queued: ["are you there?"] });
  expect(yoda.chats.pendingPeers).toEqual([]);
  // Nothing stands in the way of the next one, for either.
  await expect.poll(() => reasonOf(introduce(luke, "yoda").asked())).toBe("");
});

test("who asks anew after a yes is waited for anew, and nothing is said of the yes before", async () => {
  const { client: luke, stream } = await taking(server, "luke");
  using _stream = stream;
  await using yoda = await sitDown("yoda");
  await ask(luke, "yoda");
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept");
  yoda.chats.send("luke", "are you there?");
  await reportAs(luke, "", []);
  const { id } = await ask(luke, "yoda");
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept");
  await reportAs(luke, "", [], [id]);
  expect(await yoda.next("failed")).toMatchObject({ queued: ["are you there?"] });
  expect(yoda.events.filter(({ type }) => type === "failed")).toHaveLength(1);
});

test("programs of one session leave each other's questions and chats alone", async () => {
  const installation = newInstallation();
  await using chat = await sitDown("yoda", { installation });
  await using pipe = await chat.again();
  await using luke = await sitDown("luke");
  await luke.chats.start("yoda", { direct: false });
  await Promise.all([chat.next("requested"), pipe.next("requested")]);
  // Not here: the other one may say yes still.
  await pipe.chats.answer("luke", "pass");
  await chat.chats.answer("luke", "accept");
  await Promise.all([luke.next("opened"), chat.next("opened")]);
  await expect(pipe.chats.start("luke", { direct: false })).rejects.toMatchObject({
    reason: "PRIVATE_CHAT_OPEN",
  });
  expect(await pipe.chats.findOpenElsewhere("luke")).toEqual({ kind: "here" });
  // What one program has open is not what the other reports.
  await using leia = await sitDown("leia");
  await chatting(leia, pipe, { direct: false });
  await using phone = await sitDown("yoda", { deviceName: "phone" });
  await expect(phone.chats.start("luke", { direct: false })).rejects.toMatchObject({
    reason: "PRIVATE_CHAT_OPEN",
  });
  await pipe[Symbol.asyncDispose]();
  await leia.next("ended");
  await expect.poll(() => leia.chats.findOpenElsewhere("yoda")).toBeUndefined();
  await chatting(phone, leia, { direct: false });
});

test("a yes of one program ends the question in another of the same session", async () => {
  await using chat = await sitDown("yoda");
  await using pipe = await chat.again();
  await using luke = await sitDown("luke");
  await luke.chats.start("yoda", { direct: false });
  await Promise.all([chat.next("requested"), pipe.next("requested")]);
  await pipe.chats.answer("luke", "accept");
  await chat.next("request-closed");
  expect(chat.chats.incomingRequests).toEqual([]);
  await pipe.next("opened");
});

test("a question that waits is told of once, over a connection that is cut, and can be answered", async () => {
  await using patient = await TestServer.start({ users: ["luke", "yoda"], presenceGraceMs: 60_000 });
  await using proxy = await FaultyProxy.start(() => patient.port);
  await using luke = await Somebody.sitDown(patient.port, "luke");
  await using yoda = await Somebody.sitDown(Number(proxy.address.split(":")[1]), "yoda");
  await luke.chats.start("yoda", { direct: false });
  await yoda.next("requested");
  const { promise: again, resolve } = Promise.withResolvers<void>();
  const take = yoda.chats.handleLinkEvent.bind(yoda.chats);
  yoda.chats.handleLinkEvent = (event) => {
    take(event);
    if (event.type === "introduction-requested") resolve();
  };
  proxy.fault("cut");
  await again;
  await yoda.chats.answer("luke", "accept");
  await Promise.all([luke.next("opened"), yoda.next("opened")]);
  expect(yoda.events.filter(({ type }) => type === "requested")).toHaveLength(1);
});

test("a question that ended while the connection was gone is said to be over", async () => {
  await using server = await TestServer.start({ users: ["luke", "yoda"] });
  await using luke = await Somebody.sitDown(server.port, "luke");
  await using yoda = await Somebody.sitDown(server.port, "yoda");
  await luke.chats.start("yoda", { direct: false });
  await yoda.next("requested");
  // It holds no questions over a restart.
  await server.stop();
  await server.start();
  expect(await yoda.next("request-closed")).toMatchObject({ username: "luke" });
  expect(yoda.chats.incomingRequests).toEqual([]);
});

test.each(["accept", "refuse"] as const)(
  "a question is not over by an answer that did not get to the server: %s",
  async (answer) => {
    const gone = await TestServer.start({ users: ["luke", "yoda"] });
    await using luke = await Somebody.sitDown(gone.port, "luke");
    await using yoda = await Somebody.sitDown(gone.port, "yoda");
    await luke.chats.start("yoda", { direct: false });
    await yoda.next("requested");
    await gone[Symbol.asyncDispose]();
    const answering = yoda.chats.answer("luke", answer);
    if (answer === "accept") expect(yoda.chats.send("luke", "right away")).toBe("queued");
    await expect(answering).rejects.toBeInstanceOf(ConnectError);
    expect(yoda.chats.incomingRequests).toEqual([{ username: "luke", direct: false }]);
    if (answer === "accept") expect(await yoda.next("failed")).toMatchObject({ queued: ["right away"] });
  },
);

test("of two devices the first yes wins, and the other is told where", async () => {
  await using luke = await sitDown("luke");
  await using phone = await sitDown("yoda", { deviceName: "phone" });
  await using laptop = await sitDown("yoda", { deviceName: "laptop" });
  await luke.chats.start("yoda", { direct: false });
  expect((await luke.next("waiting")).devices).toBe(2);
  await Promise.all([phone.next("requested"), laptop.next("requested")]);
  await phone.chats.answer("luke", "accept");
  expect(await laptop.next("request-closed")).toMatchObject({ username: "luke", deviceName: "phone" });
  await Promise.all([luke.next("opened"), phone.next("opened")]);
  // From my other device the error names where it is open.
  await expect(laptop.chats.start("luke", { direct: false })).rejects.toMatchObject({
    reason: "PRIVATE_CHAT_OPEN",
    message: expect.stringContaining("phone"),
  });
});

test("who cannot be asked is refused with the reason", async () => {
  await using luke = await sitDown("luke");
  await using vader = await sitDown("vader");
  const reasonOf = (name: string) =>
    luke.chats.start(name, { direct: false }).then(
      () => "none",
      (error: { reason: string }) => error.reason,
    );
  expect(await reasonOf("nobody")).toBe("USER_NOT_FOUND");
  expect(await reasonOf("luke")).toBe("RECIPIENT_IS_SELF");
  expect(await reasonOf("leia")).toBe("USER_OFFLINE");
  await vader.account.blockUser("luke");
  expect(await reasonOf("vader")).toBe("BLOCKED_BY_RECIPIENT");
  await vader.account.unblockUser("luke");
  await chatting(luke, vader, { direct: true });
  await expect(luke.chats.start("vader", { direct: true })).rejects.toThrow("open already");
});

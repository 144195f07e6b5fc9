// Requests for private chats: which devices receive them, who may answer, queued lines, and every way in which one
// ends.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LinkEvent } from "../../client/link/model/events.ts";
import { NotSentError } from "../../client/peer/conversation/line-rules.ts";
import { ConnectError } from "../../rpc/status/connect-error.ts";
import { FaultyProxy } from "../client/cli/faults.ts";
import { ask, introduce, logInDevice, logInSubscriber, reportAs } from "../scenarios/introduction-calls.ts";
import { reasonOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { newInstallation, openChat, PrivateUser } from "./private-user.ts";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ users: ["luke", "yoda", "leia", "vader"], sessionsPerUser: 9 });
});
afterAll(() => server[Symbol.asyncDispose]());

const logIn = (name: string, options = {}) => PrivateUser.logIn(server.port, name, options);

test("lines that are written before the answer are queued, and sent after an acceptance", async () => {
  await using luke = await logIn("luke");
  await using yoda = await logIn("yoda");
  await luke.chats.start("yoda", { direct: false });
  expect(luke.chats.send("yoda", "first")).toBe("queued");
  expect(luke.chats.send("yoda", "second")).toBe("queued");
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept");
  expect(await yoda.receives("luke", 2)).toEqual(["first", "second"]);
});

test("queued lines are returned after a refusal and after a withdrawal", async () => {
  await using luke = await logIn("luke");
  await using yoda = await logIn("yoda");
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

test("all queued lines can be sent when the chat opens, and invalid lines are not queued", async () => {
  await using luke = await logIn("luke");
  await using yoda = await logIn("yoda");
  await luke.chats.start("yoda", { direct: false });
  expect(() => luke.chats.send("yoda", "x".repeat(40_000))).toThrow("too long");
  expect(() => luke.chats.send("yoda", "")).toThrow(NotSentError);
  const long = "x".repeat(30_000);
  const queueMany = (): void => {
    for (let line = 0; line < 100; line++) luke.chats.send("yoda", long);
  };
  expect(queueMany).toThrow("no more lines can be queued");
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept");
  expect(await yoda.receives("luke", 4)).toEqual([long, long, long, long]);
  await luke.chats.stop("yoda");
  await luke.next("ended");
});

test("lines that are written during a failing request are returned", async () => {
  await using luke = await logIn("luke");
  const starting = luke.chats.start("leia", { direct: false });
  expect(luke.chats.send("leia", "are you there?")).toBe("queued");
  await expect(starting).rejects.toMatchObject({ reason: "USER_OFFLINE" });
  expect(await luke.next("failed")).toMatchObject({ username: "leia", queued: ["are you there?"] });
});

test("a request that a new stream repeats during its answer is closed by the answer", async () => {
  await using luke = await logIn("luke");
  await using yoda = await logIn("yoda");
  const took: LinkEvent[] = [];
  const handle = yoda.chats.handleLinkEvent.bind(yoda.chats);
  yoda.chats.handleLinkEvent = (event) => {
    took.push(event);
    handle(event);
  };
  await luke.chats.start("yoda", { direct: false });
  await yoda.next("requested");
  const answering = yoda.chats.answer("luke", "accept");
  for (const event of took.filter(({ type }) => type === "introduction-requested")) handle(event);
  await answering;
  expect(yoda.chats.incomingRequests).toEqual([]);
  await yoda.next("opened");
  await yoda.chats.stop("luke");
  await luke.next("ended");
});

test("lines to a pending peer are queued, and sent first", async () => {
  await using luke = await logIn("luke");
  await using yoda = await logIn("yoda");
  await luke.chats.start("yoda", { direct: false });
  await yoda.next("requested");
  const answering = yoda.chats.answer("luke", "accept");
  expect(yoda.chats.pendingPeers).toEqual(["luke"]);
  expect(yoda.chats.send("luke", "right away")).toBe("queued");
  await expect(yoda.chats.start("luke", { direct: false })).rejects.toThrow("is about to open");
  await answering;
  await luke.next("line");
  expect(luke.receivedFrom("yoda")).toEqual(["right away"]);
  expect(yoda.chats.pendingPeers).toEqual([]);
});

test.each([
  ["the requester reports the failure", "luke"],
  ["the acceptance is withdrawn", "yoda"],
])("an acceptance that leads to no chat ends immediately when %s", async (_, who) => {
  // A program that requests a chat and does not connect.
  const luke = await logInDevice(server, "luke");
  await using yoda = await logIn("yoda");
  const { id } = await ask(luke, "yoda");
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept");
  expect(yoda.chats.pendingPeers).toEqual(["luke"]);
  expect(yoda.chats.send("luke", "are you there?")).toBe("queued");
  if (who === "luke") await reportAs(luke, "", [], [id]);
  else await yoda.chats.stop("luke");
  expect(await yoda.next("failed")).toMatchObject({ username: "luke", queued: ["are you there?"] });
  expect(yoda.chats.pendingPeers).toEqual([]);
  // A new request is possible.
  await expect.poll(() => reasonOf(introduce(luke, "yoda").asked())).toBe("");
});

test("a new request after an acceptance replaces it without a failed event", async () => {
  const { client: luke, stream } = await logInSubscriber(server, "luke");
  using _stream = stream;
  await using yoda = await logIn("yoda");
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

test("programs of one session do not affect each other's requests and chats", async () => {
  const installation = newInstallation();
  await using chat = await logIn("yoda", { installation });
  await using pipe = await chat.startAnotherProgram();
  await using luke = await logIn("luke");
  await luke.chats.start("yoda", { direct: false });
  await Promise.all([chat.next("requested"), pipe.next("requested")]);
  // Passing leaves the request to the other program.
  await pipe.chats.answer("luke", "pass");
  await chat.chats.answer("luke", "accept");
  await Promise.all([luke.next("opened"), chat.next("opened")]);
  await expect(pipe.chats.start("luke", { direct: false })).rejects.toMatchObject({
    reason: "PRIVATE_CHAT_OPEN",
  });
  expect(await pipe.chats.findOpenElsewhere("luke")).toEqual({ kind: "here" });
  // Each program reports only its own chats.
  await using leia = await logIn("leia");
  await openChat(leia, pipe, { direct: false });
  await using phone = await logIn("yoda", { deviceName: "phone" });
  await expect(phone.chats.start("luke", { direct: false })).rejects.toMatchObject({
    reason: "PRIVATE_CHAT_OPEN",
  });
  await pipe[Symbol.asyncDispose]();
  await leia.next("ended");
  await expect.poll(() => leia.chats.findOpenElsewhere("yoda")).toBeUndefined();
  await openChat(phone, leia, { direct: false });
});

test("an acceptance by one program closes the request in another one of the session", async () => {
  await using chat = await logIn("yoda");
  await using pipe = await chat.startAnotherProgram();
  await using luke = await logIn("luke");
  await luke.chats.start("yoda", { direct: false });
  await Promise.all([chat.next("requested"), pipe.next("requested")]);
  await pipe.chats.answer("luke", "accept");
  await chat.next("request-closed");
  expect(chat.chats.incomingRequests).toEqual([]);
  await pipe.next("opened");
});

test("a waiting request is reported once, survives a lost connection, and can be answered", async () => {
  await using patient = await TestServer.start({ users: ["luke", "yoda"], presenceGraceMs: 60_000 });
  await using proxy = await FaultyProxy.start(() => patient.port);
  await using luke = await PrivateUser.logIn(patient.port, "luke");
  await using yoda = await PrivateUser.logIn(Number(proxy.address.split(":")[1]), "yoda");
  await luke.chats.start("yoda", { direct: false });
  await yoda.next("requested");
  const { promise: again, resolve } = Promise.withResolvers<void>();
  const handle = yoda.chats.handleLinkEvent.bind(yoda.chats);
  yoda.chats.handleLinkEvent = (event) => {
    handle(event);
    if (event.type === "introduction-requested") resolve();
  };
  proxy.fault("cut");
  await again;
  await yoda.chats.answer("luke", "accept");
  await Promise.all([luke.next("opened"), yoda.next("opened")]);
  expect(yoda.events.filter(({ type }) => type === "requested")).toHaveLength(1);
});

test("a request that ended while the connection was lost is reported as closed", async () => {
  await using server = await TestServer.start({ users: ["luke", "yoda"] });
  await using luke = await PrivateUser.logIn(server.port, "luke");
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  await luke.chats.start("yoda", { direct: false });
  await yoda.next("requested");
  // The server keeps no requests over a restart.
  await server.stop();
  await server.start();
  expect(await yoda.next("request-closed")).toMatchObject({ username: "luke" });
  expect(yoda.chats.incomingRequests).toEqual([]);
});

test.each(["accept", "refuse"] as const)(
  "a request stays open when its answer did not reach the server: %s",
  async (answer) => {
    const gone = await TestServer.start({ users: ["luke", "yoda"] });
    await using luke = await PrivateUser.logIn(gone.port, "luke");
    await using yoda = await PrivateUser.logIn(gone.port, "yoda");
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

test("of two devices the first acceptance counts, and the other one learns which device it was", async () => {
  await using luke = await logIn("luke");
  await using phone = await logIn("yoda", { deviceName: "phone" });
  await using laptop = await logIn("yoda", { deviceName: "laptop" });
  await luke.chats.start("yoda", { direct: false });
  expect((await luke.next("waiting")).devices).toBe(2);
  await Promise.all([phone.next("requested"), laptop.next("requested")]);
  await phone.chats.answer("luke", "accept");
  expect(await laptop.next("request-closed")).toMatchObject({ username: "luke", deviceName: "phone" });
  await Promise.all([luke.next("opened"), phone.next("opened")]);
  // On the other device the error names the device with the open chat.
  await expect(laptop.chats.start("luke", { direct: false })).rejects.toMatchObject({
    reason: "PRIVATE_CHAT_OPEN",
    message: expect.stringContaining("phone"),
  });
});

test("a request that is not possible is refused with a reason", async () => {
  await using luke = await logIn("luke");
  await using vader = await logIn("vader");
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
  await openChat(luke, vader, { direct: true });
  await expect(luke.chats.start("vader", { direct: true })).rejects.toThrow("already open");
});

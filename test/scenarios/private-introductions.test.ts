// Scenarios of introductions: which devices are asked, which may answer, how a request ends, and which addresses the caller
// receives.
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { Feature, IntroductionOutcome } from "../../gen/parley/chat/v1/event.ts";
import { Answer } from "../../gen/parley/chat/v1/introduction_service.ts";
import { reasonOf } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { advanceUntil } from "../support/passing-time.ts";
import { TestServer } from "../support/server.ts";
import { connectUser } from "./connect-user.ts";
import { newCertificate, newIdentity, register, signDevice } from "./device-keys.ts";
import {
  answer,
  ask,
  introduce,
  logInDevice,
  logInSubscriber,
  report,
  subscribe,
} from "./introduction-calls.ts";

const people = ["leia", "han", "luke"];

test("a request reaches the devices that subscribe to invitations, and an acceptance introduces the two devices", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await server.logIn("leia");
  const identity = newIdentity();
  const certificate = newCertificate();
  await register(leia, certificate, identity);
  const han = await logInSubscriber(server, "han", "falcon");
  const plain = await connectUser(server, "han");
  const { call, id, asked } = await ask(leia, "han", true);
  expect(asked).toMatchObject({ devices: 1, timeout: { seconds: 60n } });
  expect(id.length).toBeLessThanOrEqual(32);
  const requested = await han.stream.next("introductionRequested");
  const peer = {
    user: leia.grant?.user,
    identityKey: identity.key,
    device: {
      deviceId: leia.grant?.device?.deviceId,
      certificate,
      signature: signDevice(identity, leia, certificate),
    },
  };
  expect(requested).toMatchObject({ introductionId: id, peer, direct: true });
  expect(Number(requested.timeout?.seconds)).toBeGreaterThan(50);
  const introduction = await answer(han.client, id);
  expect(introduction).toMatchObject({ introductionId: id, peer, direct: false, addresses: [] });
  expect(await call.introduction()).toMatchObject({
    introductionId: id,
    peer: {
      user: { username: "han" },
      identityKey: Buffer.alloc(0),
      device: { deviceId: han.client.grant?.device?.deviceId, deviceName: "falcon" },
    },
    direct: false,
    addresses: [],
    lifetime: { seconds: 60n },
  });
  expect(await call.ended).toBeUndefined();
  expect(plain.stream.all("introductionRequested")).toEqual([]);
  // The device that answered receives no event about its own answer.
  await server.stop();
  await han.stream.ended;
  expect(han.stream.all("introductionClosed")).toEqual([]);
});

test("a stream receives invitations only if its Hello asks for them, and the device then needs a certificate", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInDevice(server, "leia");
  const han = await server.logIn("han");
  const plain = han.connect();
  expect((await plain.next("welcome")).features).not.toContain(Feature.INTRODUCTIONS);
  await plain.caughtUp();
  expect(await reasonOf(introduce(leia, "han").asked())).toBe("PRIVATE_CHAT_UNAVAILABLE");
  const bare = han.connect({ features: [Feature.INTRODUCTIONS] });
  expect(await bare.ended).toMatchObject({ reason: "DEVICE_KEY_MISSING" });
  expect(bare.events).toEqual([]);
  await register(han);
  const only = han.connect({ features: [Feature.INTRODUCTIONS] });
  expect((await only.next("welcome")).features).toEqual([Feature.INTRODUCTIONS]);
  const both = han.connect({ features: [Feature.INTRODUCTIONS, Feature.PRESENCE, 99 as Feature] });
  expect((await both.next("welcome")).features).toEqual([Feature.PRESENCE, Feature.INTRODUCTIONS]);
  // A device with two streams is counted once.
  expect((await ask(leia, "han")).asked.devices).toBe(1);
});

test("a request to a user who cannot be asked is refused with the reason", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await server.logIn("leia");
  expect(await reasonOf(introduce(leia, "nobody").asked())).toBe("DEVICE_KEY_MISSING");
  await register(leia);
  await expect(introduce(leia, "nobody").asked()).rejects.toMatchObject({
    reason: "USER_NOT_FOUND",
    field: "username",
  });
  expect(await reasonOf(introduce(leia, "leia").asked())).toBe("RECIPIENT_IS_SELF");
  expect(await reasonOf(introduce(leia, "han").asked())).toBe("USER_OFFLINE");
  const han = await server.logIn("han");
  await han.block("leia");
  expect(await reasonOf(introduce(leia, "han").asked())).toBe("BLOCKED_BY_RECIPIENT");
  expect(await reasonOf(introduce(server.anonymous(), "han").asked())).toBe("TOKEN_MISSING");
  await han.unblock("leia");
  // As with messages, a user may ask a user whom they block.
  await leia.block("han");
  await register(han);
  using _stream = await subscribe(han);
  expect((await ask(leia, "han")).asked.devices).toBe(1);
});

test("if two users ask each other, the later request is refused and says which request is pending", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInSubscriber(server, "leia");
  const han = await logInSubscriber(server, "han");
  const { call } = await ask(leia.client, "han");
  await expect(introduce(han.client, "leia").asked()).rejects.toMatchObject({
    reason: "INTRODUCTION_PENDING",
    message: "leia has already asked you. Answer that question.",
  });
  await expect(introduce(leia.client, "han").asked()).rejects.toMatchObject({
    reason: "INTRODUCTION_PENDING",
    message: "You have already asked han. Wait for the answer.",
  });
  call.call.cancel();
  await han.stream.next("introductionClosed");
  await ask(han.client, "leia");
});

test("the first acceptance wins, and the other device is notified which device accepted", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInDevice(server, "leia");
  const falcon = await logInSubscriber(server, "han", "falcon");
  const phone = await logInSubscriber(server, "han", "phone");
  const { call, id, asked } = await ask(leia, "han");
  expect(asked.devices).toBe(2);
  await falcon.stream.next("introductionRequested");
  await phone.stream.next("introductionRequested");
  const answers = await Promise.allSettled([answer(falcon.client, id), answer(phone.client, id)]);
  expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const isFalcon = answers[0].status === "fulfilled";
  const winner = isFalcon ? falcon : phone;
  const loser = isFalcon ? phone : falcon;
  const deviceName = isFalcon ? "falcon" : "phone";
  expect(answers[isFalcon ? 1 : 0]).toMatchObject({
    reason: {
      reason: "INTRODUCTION_NOT_FOUND",
      message: `Already accepted on your device "${deviceName}".`,
    },
  });
  expect(await loser.stream.next("introductionClosed")).toEqual({
    introductionId: id,
    outcome: IntroductionOutcome.ACCEPTED_ELSEWHERE,
    deviceName,
  });
  expect((await call.introduction()).peer?.device?.deviceName).toBe(deviceName);
  expect(winner.stream.all("introductionClosed")).toEqual([]);
});

test("a refusal is for all devices; a pass is for one device, and the pass of the last device is a refusal", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInDevice(server, "leia");
  const falcon = await logInSubscriber(server, "han", "falcon");
  const phone = await logInSubscriber(server, "han", "phone");
  const first = await ask(leia, "han");
  expect(await answer(falcon.client, first.id, { answer: Answer.REFUSE })).toBeUndefined();
  expect(await first.call.ended).toMatchObject({ reason: "INTRODUCTION_REFUSED" });
  expect(await phone.stream.next("introductionClosed")).toMatchObject({
    introductionId: first.id,
    outcome: IntroductionOutcome.REFUSED_ELSEWHERE,
    deviceName: "falcon",
  });
  const second = await ask(leia, "han");
  await answer(falcon.client, second.id, { answer: Answer.PASS });
  expect(await reasonOf(answer(falcon.client, second.id))).toBe("INTRODUCTION_NOT_FOUND");
  await answer(phone.client, second.id, { answer: Answer.PASS });
  expect(await second.call.ended).toMatchObject({ reason: "INTRODUCTION_REFUSED" });
});

test("only devices of the callee that received the request may answer", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInSubscriber(server, "leia");
  const luke = await logInSubscriber(server, "luke");
  await logInSubscriber(server, "han");
  const { id } = await ask(leia.client, "han");
  const other = await logInDevice(server, "han", "other");
  for (const stranger of [leia.client, luke.client, other]) {
    for (const kind of [Answer.ACCEPT, Answer.REFUSE, Answer.PASS]) {
      expect(await reasonOf(answer(stranger, id, { answer: kind }))).toBe("INTRODUCTION_NOT_FOUND");
    }
  }
  const bare = await server.logIn("han");
  expect(await reasonOf(answer(bare, id))).toBe("DEVICE_KEY_MISSING");
  await expect(answer(other, id, { answer: Answer.UNSPECIFIED })).rejects.toMatchObject({
    reason: "INVALID_FIELD",
    field: "answer",
  });
  expect(await reasonOf(answer(other, "no such id"))).toBe("INTRODUCTION_NOT_FOUND");
  // A device that subscribes later receives the request, and may answer it.
  using late = await subscribe(other);
  expect((await late.next("introductionRequested")).introductionId).toBe(id);
  expect((await answer(other, id))?.peer?.user?.username).toBe("leia");
});

test("a pending request is sent again after CaughtUp, but not to a device that passed", async () => {
  await using server = await TestServer.start({ users: people, presenceGraceMs: 60_000 });
  const leia = await logInDevice(server, "leia");
  const falcon = await logInSubscriber(server, "han", "falcon");
  const phone = await logInSubscriber(server, "han", "phone");
  const { call, id } = await ask(leia, "han", true);
  await answer(phone.client, id, { answer: Answer.PASS });
  phone.stream[Symbol.dispose]();
  falcon.stream[Symbol.dispose]();
  // Both streams are lost. The request stays pending during the grace period.
  using again = falcon.client.connect({ features: [Feature.INTRODUCTIONS] });
  const requested = await again.next("introductionRequested");
  expect(requested).toMatchObject({ introductionId: id, direct: true, peer: { user: { username: "leia" } } });
  expect(again.events.map(({ kind }) => kind?.$case)).toEqual([
    "welcome",
    "caughtUp",
    "introductionRequested",
  ]);
  using passed = await subscribe(phone.client);
  await answer(falcon.client, id);
  await passed.next("introductionClosed");
  expect(passed.all("introductionRequested")).toEqual([]);
  expect((await call.introduction()).peer?.device?.deviceName).toBe("falcon");
});

test("a request that is not answered in time ends, and the devices are notified", async () => {
  const clock = new ManualClock();
  const introductionTimes = { timeoutMs: 30_000, lifetimeMs: 60_000 };
  await using server = await TestServer.start({ users: people, introductionTimes, clock });
  const leia = await logInDevice(server, "leia");
  const han = await logInSubscriber(server, "han");
  const { call, id } = await ask(leia, "han");
  clock.advance(29_999);
  expect(await reasonOf(introduce(leia, "han").asked())).toBe("INTRODUCTION_PENDING");
  expect(han.stream.all("introductionClosed")).toEqual([]);
  clock.advance(1);
  expect(await call.ended).toMatchObject({ reason: "INTRODUCTION_UNANSWERED" });
  expect(await han.stream.next("introductionClosed")).toEqual({
    introductionId: id,
    outcome: IntroductionOutcome.UNANSWERED,
    deviceName: "",
  });
  expect(await reasonOf(answer(han.client, id))).toBe("INTRODUCTION_NOT_FOUND");
});

test("a caller who cancels, or whose session ends, withdraws the request", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInDevice(server, "leia");
  const han = await logInSubscriber(server, "han");
  const withdrawn = { outcome: IntroductionOutcome.TAKEN_BACK, deviceName: "" };
  const first = await ask(leia, "han");
  first.call.call.cancel();
  expect(await han.stream.next("introductionClosed")).toEqual({ ...withdrawn, introductionId: first.id });
  const second = await ask(leia, "han");
  await leia.logOut();
  const ended = await second.call.ended;
  expect(ended).toMatchObject({ reason: "SESSION_ENDED" });
  expect(ended?.retryDelayMs).toBeUndefined();
  expect(await han.stream.next("introductionClosed")).toEqual({ ...withdrawn, introductionId: second.id });
  expect(await reasonOf(answer(han.client, second.id))).toBe("INTRODUCTION_NOT_FOUND");
});

test("an idle time-out, and a session that another process removes, end the call of a caller without a stream", async () => {
  const clock = new ManualClock();
  // Longer than the idle time-out, however slow the machine is.
  const introductionTimes = { timeoutMs: 3_600_000, lifetimeMs: 60_000 };
  await using server = await TestServer.start({
    users: people,
    idleTimeoutMs: 30_000,
    clock,
    introductionTimes,
  });
  const step = { server, clock, stepMs: 3_000 };
  const han = await logInSubscriber(server, "han");
  const leia = await logInDevice(server, "leia");
  const { call } = await ask(leia, "han");
  const ending = await advanceUntil(call.ended, step, () =>
    han.client.unary(han.client.chat, han.client.chat.reportActivity, {}),
  );
  expect(ending).toMatchObject({ reason: "SESSION_TIMED_OUT" });
  await han.stream.next("introductionClosed");
  const luke = await logInDevice(server, "luke");
  const another = await ask(luke, "han");
  {
    using database = new DatabaseSync(server.databaseFile);
    database.exec("PRAGMA busy_timeout = 5000");
    database.exec("DELETE FROM sessions WHERE user_id = (SELECT user_id FROM users WHERE username = 'luke')");
  }
  expect(await another.call.ended).toMatchObject({ reason: "SESSION_ENDED" });
});

test("a server that stops ends the request with a retry delay", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInDevice(server, "leia");
  await logInSubscriber(server, "han");
  const { call } = await ask(leia, "han");
  await server.stop();
  const ended = await call.ended;
  expect(ended).toMatchObject({ reason: "SERVER_STOPPING" });
  expect(ended?.retryDelayMs).toBeGreaterThan(0);
});

test("a request ends with USER_OFFLINE when the last device that could answer logs out", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInDevice(server, "leia");
  const falcon = await logInSubscriber(server, "han", "falcon");
  const phone = await logInSubscriber(server, "han", "phone");
  const { call } = await ask(leia, "han");
  await falcon.client.logOut();
  await falcon.stream.ended;
  expect(call.messages).toHaveLength(1);
  await phone.client.logOut();
  expect(await call.ended).toMatchObject({ reason: "USER_OFFLINE" });
});

test("a request is refused if one device passed and the other one logged out", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInDevice(server, "leia");
  const falcon = await logInSubscriber(server, "han", "falcon");
  const phone = await logInSubscriber(server, "han", "phone");
  const { call, id } = await ask(leia, "han");
  await answer(falcon.client, id, { answer: Answer.PASS });
  await phone.client.logOut();
  expect(await call.ended).toMatchObject({ reason: "INTRODUCTION_REFUSED" });
});

test("a callee who blocks the caller cannot accept the pending request, and the caller gets the reason", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInDevice(server, "leia");
  const falcon = await logInSubscriber(server, "han", "falcon");
  const phone = await logInSubscriber(server, "han", "phone");
  const { call, id } = await ask(leia, "han");
  await falcon.client.block("leia");
  expect(await reasonOf(answer(falcon.client, id))).toBe("ALREADY_BLOCKED");
  expect(await call.ended).toMatchObject({ reason: "BLOCKED_BY_RECIPIENT" });
  expect(await phone.stream.next("introductionClosed")).toMatchObject({
    outcome: IntroductionOutcome.REFUSED_ELSEWHERE,
  });
});

test("the callee's addresses are sent to the caller only if both allow a direct path", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInDevice(server, "leia");
  await subscribe(leia);
  const han = await logInSubscriber(server, "han");
  const addresses = ["192.168.1.5:4000", "[fe80::1]:4000", "127.0.0.1:4000", "127.0.0.1:4000"];
  const distinct = addresses.slice(0, 3);
  for (const [callers, callees, more, expected] of [
    [true, true, { addresses, port: 4001 }, ["127.0.0.1:4001", ...distinct]],
    [true, true, { addresses, port: 4000 }, ["127.0.0.1:4000", ...distinct.slice(0, 2)]],
    [true, true, { addresses, port: 0 }, distinct],
    [true, false, { addresses, port: 4001 }, []],
    [false, true, { addresses, port: 4001 }, []],
  ] as const) {
    const { call, id } = await ask(leia, "han", callers);
    const request = { ...more, addresses: [...more.addresses], direct: callees };
    const direct = callers && callees;
    expect(await answer(han.client, id, request)).toMatchObject({ direct, addresses: [] });
    expect(await call.introduction()).toMatchObject({ direct, addresses: expected });
    await call.ended;
    // The chat is opened and closed.
    await report(leia, han.client);
    await report(leia);
  }
  expect(JSON.stringify(server.logged)).not.toContain("192.168.1.5");
});

test.each([
  ["addresses", { addresses: Array.from({ length: 17 }, (_, index) => `10.0.0.${index}:1`) }],
  ["addresses[0]", { addresses: ["10.0.0.1"] }],
  ["addresses[1]", { addresses: ["10.0.0.1:1", "10.0.0.1:0"] }],
  ["addresses[0]", { addresses: ["10.0.0.1:65536"] }],
  ["addresses[0]", { addresses: ["::1:4000"] }],
  ["addresses[0]", { addresses: ["10.0.0.300:4000"] }],
  ["addresses[0]", { addresses: ["falcon.example:80"] }],
  ["addresses[0]", { addresses: ["a\u001b[2Jb:4000"] }],
  ["addresses[0]", { addresses: [`${"a".repeat(60)}:4000`] }],
  ["addresses[0]", { addresses: [`[fe80::1%${"a".repeat(60)}]:4000`] }],
  ["port", { port: 65_536 }],
])("an answer with %s out of bounds is refused, and the request stays pending", async (field, more) => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInDevice(server, "leia");
  const han = await logInSubscriber(server, "han");
  const { call, id } = await ask(leia, "han", true);
  await expect(answer(han.client, id, { direct: true, ...more })).rejects.toMatchObject({
    reason: "INVALID_FIELD",
    field,
  });
  await answer(han.client, id);
  await call.introduction();
});

// Scenarios of private chats that devices report as open, and of accepted introductions, which count as open.
import { expect, test } from "vitest";
import { IntroductionOutcome } from "../../gen/parley/chat/v1/event.ts";
import { Answer } from "../../gen/parley/chat/v1/introduction_service.ts";
import { reasonOf, type TestClient } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { TestServer } from "../support/server.ts";
import {
  acceptedIntroduction,
  answer,
  ask,
  introduce,
  logInDevice,
  logInSubscriber,
  report,
  reportAs,
  subscribe,
} from "./introduction-calls.ts";

const people = ["leia", "han", "luke"];

test("a chat that a session reports counts as open on its device while the session has a stream", async () => {
  await using server = await TestServer.start({ users: people });
  const laptop = await logInSubscriber(server, "leia", "laptop");
  const phone = await logInDevice(server, "leia", "phone");
  const han = await logInSubscriber(server, "han");
  await logInSubscriber(server, "luke");
  await report(laptop.client, han.client);
  await expect(introduce(phone, "han").asked()).rejects.toMatchObject({
    reason: "PRIVATE_CHAT_OPEN",
    field: "username",
    message: 'A private chat with han is open on your device "laptop" already.',
  });
  await expect(introduce(laptop.client, "han").asked()).rejects.toMatchObject({
    message: "A private chat with han is open on this device already.",
  });
  // The report is about leia's devices only. A new report replaces the last one.
  const asking = await ask(han.client, "leia");
  asking.call.call.cancel();
  await laptop.stream.next("introductionClosed");
  const luke = await logInDevice(server, "luke");
  await report(laptop.client, luke);
  expect(await reasonOf(introduce(phone, "luke").asked())).toBe("PRIVATE_CHAT_OPEN");
  const toHan = await ask(phone, "han");
  toHan.call.call.cancel();
  await han.stream.next("introductionClosed");
  // With two streams, the report is kept until the last one ends.
  const second = await subscribe(laptop.client);
  laptop.stream[Symbol.dispose]();
  await laptop.stream.ended;
  expect(await reasonOf(introduce(phone, "luke").asked())).toBe("PRIVATE_CHAT_OPEN");
  using watching = await luke.connect().caughtUp();
  const gone = watching.next("presenceChanged", ({ wentOffline }) =>
    wentOffline.some(({ username }) => username === "leia"),
  );
  second[Symbol.dispose]();
  await gone;
  await ask(phone, "luke");
  // A report without a stream is not kept, also not for the next stream.
  await report(laptop.client, han.client);
  using _third = await subscribe(laptop.client);
  await ask(phone, "han");
});

test("an accepted introduction that led to no chat ends with the device's next report, or with its stream", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInSubscriber(server, "leia", "laptop");
  const han = await logInSubscriber(server, "han");
  const phone = await logInDevice(server, "han", "phone");
  const agree = (): Promise<string> => acceptedIntroduction(leia.client, han.client);
  await agree();
  expect(await reasonOf(introduce(leia.client, "han").asked())).toBe("PRIVATE_CHAT_OPEN");
  await report(leia.client);
  await report(han.client);
  await agree();
  expect(await reasonOf(introduce(phone, "leia").asked())).toBe("PRIVATE_CHAT_OPEN");
  using watching = await leia.client.connect().caughtUp();
  const gone = watching.next("presenceChanged", ({ wentOffline }) =>
    wentOffline.some(({ username }) => username === "han"),
  );
  han.stream[Symbol.dispose]();
  await gone;
  await ask(phone, "leia");
});

test("an accepted introduction counts as an open chat for both users until it is reported or its lifetime ends", async () => {
  const clock = new ManualClock();
  const introductionTimes = { timeoutMs: 60_000, lifetimeMs: 30_000 };
  await using server = await TestServer.start({ users: people, introductionTimes, clock });
  const leia = await logInSubscriber(server, "leia", "laptop");
  const han = await logInSubscriber(server, "han", "falcon");
  const phone = await logInSubscriber(server, "han", "phone");
  const agree = (): Promise<string> => acceptedIntroduction(leia.client, han.client);
  await agree();
  await expect(introduce(phone.client, "leia").asked()).rejects.toMatchObject({
    reason: "PRIVATE_CHAT_OPEN",
    message: 'A private chat with leia is open on your device "falcon" already.',
  });
  expect(await reasonOf(introduce(leia.client, "han").asked())).toBe("PRIVATE_CHAT_OPEN");
  await report(leia.client, han.client);
  await report(leia.client);
  await agree();
  // The phone reports its own chats, not those of the falcon.
  await report(phone.client, leia.client);
  await report(phone.client);
  expect(await reasonOf(introduce(phone.client, "leia").asked())).toBe("PRIVATE_CHAT_OPEN");
  clock.advance(29_999);
  expect(await reasonOf(introduce(phone.client, "leia").asked())).toBe("PRIVATE_CHAT_OPEN");
  clock.advance(1);
  await ask(phone.client, "leia");
});

function whereOpen(client: TestClient, username: string) {
  return client.unary(client.introduction, client.introduction.getPrivateChat, { username });
}

test("each program of a session reports its own chats, which count while it has a stream that subscribes to invitations", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInDevice(server, "leia", "laptop");
  const phone = await logInDevice(server, "leia", "phone");
  const han = await logInSubscriber(server, "han");
  const luke = await logInSubscriber(server, "luke");
  const one = await subscribe(leia, "one");
  using _other = await subscribe(leia, "other");
  await reportAs(leia, "one", [han.client]);
  await reportAs(leia, "other", [luke.client]);
  await reportAs(leia, "unknown", [luke.client, han.client]);
  for (const name of ["han", "luke"]) {
    expect(await reasonOf(introduce(phone, name).asked())).toBe("PRIVATE_CHAT_OPEN");
  }
  await reportAs(leia, "other", []);
  const toLuke = await ask(phone, "luke");
  toLuke.call.call.cancel();
  await luke.stream.next("introductionClosed");
  expect(await reasonOf(introduce(phone, "han").asked())).toBe("PRIVATE_CHAT_OPEN");
  one[Symbol.dispose]();
  await one.ended;
  // The session still has a stream, so the report of the other program is kept.
  await expect.poll(() => whereOpen(phone, "han")).toMatchObject({ deviceId: "" });
  await ask(phone, "han");
});

test("a request whose program has gone is left to the other programs of its session", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInDevice(server, "leia");
  const han = await logInDevice(server, "han");
  using _one = await subscribe(leia, "one");
  const other = await subscribe(leia, "other");
  const { call, id } = await ask(han, "leia");
  await reportAs(leia, "other", [await logInDevice(server, "luke")]);
  other[Symbol.dispose]();
  await other.ended;
  // Its report is forgotten, too.
  await expect.poll(() => whereOpen(leia, "luke")).toMatchObject({ deviceId: "" });
  using _third = await subscribe(leia, "third");
  // A program without a stream cannot pass.
  await answer(leia, id, { answer: Answer.PASS, processId: "unknown" });
  await answer(leia, id, { answer: Answer.PASS, processId: "one" });
  await answer(leia, id, { answer: Answer.PASS, processId: "third" });
  expect(await call.ended).toMatchObject({ reason: "INTRODUCTION_REFUSED" });
});

test("a user can ask which own device has an open private chat, but not about devices of others", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInSubscriber(server, "leia", "laptop");
  const phone = await logInDevice(server, "leia", "phone");
  const han = await logInDevice(server, "han");
  expect(await whereOpen(phone, "han")).toEqual({ deviceId: "", deviceName: "" });
  await report(leia.client, han);
  expect(await whereOpen(phone, "han")).toEqual({
    deviceId: leia.client.grant?.device?.deviceId,
    deviceName: "laptop",
  });
  expect(await whereOpen(han, "leia")).toEqual({ deviceId: "", deviceName: "" });
  await expect(whereOpen(phone, "nobody")).rejects.toMatchObject({
    reason: "USER_NOT_FOUND",
    field: "username",
  });
});

test("an introduction accepted for a caller without a stream counts as open until a report ends it, or the session ends", async () => {
  await using server = await TestServer.start({ users: people });
  const han = await logInSubscriber(server, "han");
  const phone = await logInDevice(server, "leia", "phone");
  const logInAndAgree = async (): Promise<TestClient> => {
    const leia = await logInDevice(server, "leia", "laptop");
    const { call, id } = await ask(leia, "han");
    await answer(han.client, id);
    await call.ended;
    expect(await whereOpen(phone, "han")).toMatchObject({ deviceName: "laptop" });
    return leia;
  };
  const leia = await logInAndAgree();
  // A report without a stream is not kept, but it ends the accepted introduction.
  await reportAs(leia, "", []);
  expect(await whereOpen(phone, "han")).toMatchObject({ deviceId: "" });
  const again = await logInAndAgree();
  await again.unary(again.auth, again.auth.logOut, {});
  await expect.poll(() => whereOpen(phone, "han")).toMatchObject({ deviceId: "" });
});

test("an accepted introduction that the caller reports as failed ends for both users, and the callee is notified", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInSubscriber(server, "leia", "laptop");
  const han = await logInSubscriber(server, "han");
  const { call, id } = await ask(leia.client, "han");
  await answer(han.client, id);
  await call.ended;
  expect(await reasonOf(introduce(han.client, "leia").asked())).toBe("PRIVATE_CHAT_OPEN");
  // A user who has no part in the introduction cannot report it as failed.
  const luke = await logInSubscriber(server, "luke");
  await reportAs(luke.client, "", [], [id]);
  expect(await reasonOf(introduce(han.client, "leia").asked())).toBe("PRIVATE_CHAT_OPEN");
  await reportAs(leia.client, "", [], [id, "unknown"]);
  expect(await han.stream.next("introductionClosed")).toMatchObject({
    introductionId: id,
    outcome: IntroductionOutcome.FAILED,
  });
  await ask(han.client, "leia");
});

test("process ids and lists of failed introductions are bounded", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await logInDevice(server, "leia");
  const ids = Array.from({ length: 101 }, (_, index) => `i${index}`);
  await expect(reportAs(leia, "", [], ids)).rejects.toMatchObject({ field: "failed_introduction_ids" });
  const long = "x".repeat(33);
  await expect(reportAs(leia, long, [])).rejects.toMatchObject({ field: "process_id" });
  await expect(answer(leia, "i", { processId: long })).rejects.toMatchObject({ field: "process_id" });
  using stream = leia.connect({ processId: long });
  expect(await stream.ended).toMatchObject({ reason: "INVALID_FIELD", field: "hello.process_id" });
});

test("a report is a list of at most 1,000 user ids", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await server.logIn("leia");
  const send = (userIds: string[]) =>
    leia.unary(leia.introduction, leia.introduction.reportPrivateChats, {
      userIds,
      processId: "",
      failedIntroductionIds: [],
    });
  await send(Array.from({ length: 1000 }, (_, index) => `u${index + 1}`));
  await expect(send(Array.from({ length: 1001 }, () => "u1"))).rejects.toMatchObject({
    reason: "INVALID_FIELD",
    field: "user_ids",
  });
  await expect(send(["u1", "han"])).rejects.toMatchObject({ reason: "INVALID_FIELD", field: "user_ids[1]" });
});

// Scenarios of private chats that are open already, as far as the server was told, and of how much may be asked at once.
import { expect, test } from "vitest";
import { IntroductionOutcome } from "../../gen/parley/chat/v1/event.ts";
import { Answer } from "../../gen/parley/chat/v1/introduction_service.ts";
import type { RpcError } from "../../rpc/status/status.ts";
import { limits } from "../../server/limits.ts";
import { reasonOf, type TestClient } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { TestServer } from "../support/server.ts";
import { register } from "./device-keys.ts";
import { answer, ask, device, introduce, report, reportAs, take, taking } from "./private.ts";

const people = ["leia", "han", "luke"];

test("what a session reports is open on its device, for as long as it has a stream", async () => {
  await using server = await TestServer.start({ users: people });
  const laptop = await taking(server, "leia", "laptop");
  const phone = await device(server, "leia", "phone");
  const han = await taking(server, "han");
  await taking(server, "luke");
  await report(laptop.client, han.client);
  await expect(introduce(phone, "han").asked()).rejects.toMatchObject({
    reason: "PRIVATE_CHAT_OPEN",
    field: "username",
    message: 'A private chat with han is open on your device "laptop" already.',
  });
  await expect(introduce(laptop.client, "han").asked()).rejects.toMatchObject({
    message: "A private chat with han is open on this device already.",
  });
  // It is leia's word about leia alone, and a list takes the place of the one before.
  const asking = await ask(han.client, "leia");
  asking.call.call.cancel();
  await laptop.stream.next("introductionClosed");
  const luke = await device(server, "luke");
  await report(laptop.client, luke);
  expect(await reasonOf(introduce(phone, "luke").asked())).toBe("PRIVATE_CHAT_OPEN");
  const toHan = await ask(phone, "han");
  toHan.call.call.cancel();
  await han.stream.next("introductionClosed");
  // Two streams: the last one's end counts.
  const second = await take(laptop.client);
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
  // Without a stream a report is not kept, nor does it come back to life with the next one.
  await report(laptop.client, han.client);
  using _third = await take(laptop.client);
  await ask(phone, "han");
});

test("what was agreed on and came to nothing is over with the device's next report, and with its stream", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await taking(server, "leia", "laptop");
  const han = await taking(server, "han");
  const phone = await device(server, "han", "phone");
  const agree = async (): Promise<void> => {
    const { call, id } = await ask(leia.client, "han");
    await answer(han.client, id);
    await call.ended;
  };
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

test("what has just been agreed on counts as open for both, until it is reported or the time is over", async () => {
  await using server = await TestServer.start({
    users: people,
    introductionTimes: { timeoutMs: 60_000, lifetimeMs: 500 },
  });
  const leia = await taking(server, "leia", "laptop");
  const han = await taking(server, "han", "falcon");
  const phone = await taking(server, "han", "phone");
  const agree = async (): Promise<void> => {
    const { call, id } = await ask(leia.client, "han");
    await answer(han.client, id);
    await call.ended;
  };
  await agree();
  await expect(introduce(phone.client, "leia").asked()).rejects.toMatchObject({
    reason: "PRIVATE_CHAT_OPEN",
    message: 'A private chat with leia is open on your device "falcon" already.',
  });
  expect(await reasonOf(introduce(leia.client, "han").asked())).toBe("PRIVATE_CHAT_OPEN");
  await report(leia.client, han.client);
  await report(leia.client);
  await agree();
  // Of the phone's own doing: it says nothing of the falcon's.
  await report(phone.client, leia.client);
  await report(phone.client);
  expect(await reasonOf(introduce(phone.client, "leia").asked())).toBe("PRIVATE_CHAT_OPEN");
  for (;;) {
    const call = introduce(phone.client, "leia");
    const reason = await reasonOf(call.asked());
    if (reason === "") break;
    expect(reason).toBe("PRIVATE_CHAT_OPEN");
  }
});

function whereOpen(client: TestClient, username: string) {
  return client.unary(client.introduction, client.introduction.getPrivateChat, { username });
}

test("each program of a session reports for itself, for as long as it has a stream that takes introductions", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await device(server, "leia", "laptop");
  const phone = await device(server, "leia", "phone");
  const han = await taking(server, "han");
  const luke = await taking(server, "luke");
  const one = await take(leia, "one");
  using _other = await take(leia, "other");
  await reportAs(leia, "one", [han.client]);
  await reportAs(leia, "other", [luke.client]);
  await reportAs(leia, "nobody", [luke.client, han.client]);
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
  // Its session has a stream still: what the other program says stands.
  await expect.poll(() => whereOpen(phone, "han")).toMatchObject({ deviceId: "" });
  await ask(phone, "han");
});

test("a program that is gone leaves a question to those of its session that are there", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await device(server, "leia");
  const han = await device(server, "han");
  using _one = await take(leia, "one");
  const other = await take(leia, "other");
  const { call, id } = await ask(han, "leia");
  await reportAs(leia, "other", [await device(server, "luke")]);
  other[Symbol.dispose]();
  await other.ended;
  // What it reported is forgotten with it.
  await expect.poll(() => whereOpen(leia, "luke")).toMatchObject({ deviceId: "" });
  using _third = await take(leia, "third");
  // Not told of it: that is no answer.
  await answer(leia, id, { answer: Answer.PASS, processId: "nobody" });
  await answer(leia, id, { answer: Answer.PASS, processId: "one" });
  await answer(leia, id, { answer: Answer.PASS, processId: "third" });
  expect(await call.ended).toMatchObject({ reason: "INTRODUCTION_REFUSED" });
});

test("where a private chat is open can be asked, of one's own alone", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await taking(server, "leia", "laptop");
  const phone = await device(server, "leia", "phone");
  const han = await device(server, "han");
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

test("what was agreed on without a stream counts as open until that is reported over, or the session ends", async () => {
  await using server = await TestServer.start({ users: people });
  const han = await taking(server, "han");
  const phone = await device(server, "leia", "phone");
  const agreed = async (): Promise<TestClient> => {
    const leia = await device(server, "leia", "laptop");
    const { call, id } = await ask(leia, "han");
    await answer(han.client, id);
    await call.ended;
    expect(await whereOpen(phone, "han")).toMatchObject({ deviceName: "laptop" });
    return leia;
  };
  const leia = await agreed();
  // Nothing is kept of a list without a stream, but that what was agreed on is over.
  await reportAs(leia, "", []);
  expect(await whereOpen(phone, "han")).toMatchObject({ deviceId: "" });
  const again = await agreed();
  await again.unary(again.auth, again.auth.logOut, {});
  await expect.poll(() => whereOpen(phone, "han")).toMatchObject({ deviceId: "" });
});

test("a yes that came to nothing is over for both, and the one who said it is told", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await taking(server, "leia", "laptop");
  const han = await taking(server, "han");
  const { call, id } = await ask(leia.client, "han");
  await answer(han.client, id);
  await call.ended;
  expect(await reasonOf(introduce(han.client, "leia").asked())).toBe("PRIVATE_CHAT_OPEN");
  // Nobody else can say so.
  const luke = await taking(server, "luke");
  await reportAs(luke.client, "", [], [id]);
  expect(await reasonOf(introduce(han.client, "leia").asked())).toBe("PRIVATE_CHAT_OPEN");
  await reportAs(leia.client, "", [], [id, "unknown"]);
  expect(await han.stream.next("introductionClosed")).toMatchObject({
    introductionId: id,
    outcome: IntroductionOutcome.FAILED,
  });
  await ask(han.client, "leia");
});

test("what tells programs apart, and what failed, is bounded", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await device(server, "leia");
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

test("one user asks another ten times within a minute, from whichever device, and others go on", async () => {
  const { introductionsPerMinute } = limits;
  await using server = await TestServer.start({ users: people, introductionsPerMinute });
  const laptop = await taking(server, "leia", "laptop");
  const phone = await device(server, "leia", "phone");
  const han = await taking(server, "han");
  const luke = await taking(server, "luke");
  const askAndTakeBack = async (who: TestClient): Promise<void> => {
    const { call } = await ask(who, "han");
    call.call.cancel();
    await han.stream.next("introductionClosed");
  };
  for (let asked = 0; asked < 10; asked++) await askAndTakeBack(asked % 2 === 0 ? laptop.client : phone);
  for (const client of [laptop.client, phone]) {
    await expect(introduce(client, "han").asked()).rejects.toMatchObject({
      reason: "RATE_LIMITED",
      field: "username",
      message: "You have asked han 10 times within a minute. Wait a moment.",
    });
  }
  await askAndTakeBack(luke.client);
  await ask(laptop.client, "luke");
  await ask(han.client, "leia");
});

test("who has asked too often may ask again when the delay is over", async () => {
  await using server = await TestServer.start({ users: people, introductionsPerMinute: 60 });
  const leia = await device(server, "leia");
  const han = await taking(server, "han");
  let refused: { readonly retryDelayMs?: number } | undefined;
  for (let asked = 0; asked < 90 && refused === undefined; asked++) {
    const call = introduce(leia, "han");
    refused = await call.asked().then(
      () => undefined,
      (error: RpcError) => error,
    );
    call.call.cancel();
    if (refused === undefined) await han.stream.next("introductionClosed");
  }
  expect(refused).toMatchObject({ reason: "RATE_LIMITED" });
  expect(refused?.retryDelayMs).toBeGreaterThan(0);
  expect(refused?.retryDelayMs).toBeLessThanOrEqual(1_000);
  await expect.poll(() => reasonOf(introduce(leia, "han").asked()), { timeout: 5_000 }).toBe("");
});

test("a session asks eight at once, and no more than thirty-two ask one", async () => {
  const crowd = Array.from({ length: 33 }, (_, index) => `ewok${index}`);
  await using server = await TestServer.start({ users: ["leia", ...crowd] });
  const leia = await taking(server, "leia");
  const ewoks = await Promise.all(crowd.map((name) => taking(server, name)));
  for (const name of crowd.slice(0, 8)) await ask(leia.client, name);
  const ninth = introduce(leia.client, crowd[8] ?? "").asked();
  await expect(ninth).rejects.toMatchObject({ reason: "RATE_LIMITED", retryDelayMs: 5_000 });
  await leia.client.logOut();
  const another = await taking(server, "leia");
  for (const ewok of ewoks.slice(0, 32)) await ask(ewok.client, "leia");
  expect(await reasonOf(introduce(ewoks[32]?.client ?? another.client, "leia").asked())).toBe("RATE_LIMITED");
});

test("to ask takes from the session's bucket", async () => {
  await using server = await TestServer.start({ users: people, callRate: 3 });
  const leia = await device(server, "leia");
  let reason = "";
  for (let call = 0; call < 7 && reason !== "RATE_LIMITED"; call++) {
    reason = await reasonOf(introduce(leia, "han").asked());
  }
  expect(reason).toBe("RATE_LIMITED");
});

test("asking counts as a command; answering, reporting and registering do not", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: people, idleTimeoutMs: 60_000, clock });
  const leia = await device(server, "leia");
  const han = await taking(server, "han");
  for (;;) {
    const call = introduce(leia, "han");
    const asked = await call.asked().catch(() => undefined);
    if (asked === undefined) break;
    const others = [
      answer(han.client, asked.introductionId, { answer: Answer.REFUSE }),
      report(han.client, leia),
      register(han.client),
    ];
    await Promise.allSettled(others);
    await call.ended;
    clock.advance(6_000);
  }
  expect(await han.stream.ended).toMatchObject({ reason: "SESSION_TIMED_OUT" });
  // Who asked all the time is here still.
  await expect.poll(() => leia.whoelse()).toEqual([]);
});

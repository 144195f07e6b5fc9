// Scenarios of the limits on requests for private chats: how often a user may ask, how many requests may be pending, and whether
// requests count as commands.
import { expect, test } from "vitest";
import { Answer } from "../../gen/parley/chat/v1/introduction_service.ts";
import type { RpcError } from "../../rpc/status/status.ts";
import { limits } from "../../server/limits.ts";
import { reasonOf, type TestClient } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { TestServer } from "../support/server.ts";
import { register } from "./device-keys.ts";
import { answer, ask, introduce, logInDevice, logInSubscriber, report } from "./introduction-calls.ts";

const people = ["leia", "han", "luke"];

test("a user may ask another user ten times within a minute, from all devices together; other pairs are not affected", async () => {
  const { introductionsPerMinute } = limits;
  await using server = await TestServer.start({
    users: people,
    introductionsPerMinute,
    clock: new ManualClock(),
  });
  const laptop = await logInSubscriber(server, "leia", "laptop");
  const phone = await logInDevice(server, "leia", "phone");
  const han = await logInSubscriber(server, "han");
  const luke = await logInSubscriber(server, "luke");
  const askAndCancel = async (who: TestClient): Promise<void> => {
    const { call } = await ask(who, "han");
    call.call.cancel();
    await han.stream.next("introductionClosed");
  };
  for (let asked = 0; asked < 10; asked++) await askAndCancel(asked % 2 === 0 ? laptop.client : phone);
  for (const client of [laptop.client, phone]) {
    await expect(introduce(client, "han").asked()).rejects.toMatchObject({
      reason: "RATE_LIMITED",
      field: "username",
      message: "You have asked han 10 times within a minute. Wait a moment.",
    });
  }
  await askAndCancel(luke.client);
  await ask(laptop.client, "luke");
  await ask(han.client, "leia");
});

test("a user who asked too often may ask again after the delay", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: people, introductionsPerMinute: 60, clock });
  const leia = await logInDevice(server, "leia");
  const han = await logInSubscriber(server, "han");
  for (let asked = 0; asked < 60; asked++) {
    const { call } = await ask(leia, "han");
    call.call.cancel();
    await han.stream.next("introductionClosed");
  }
  const refusal = await introduce(leia, "han")
    .asked()
    .catch((error: RpcError) => error);
  expect(refusal).toMatchObject({ reason: "RATE_LIMITED", retryDelayMs: 1_000 });
  clock.advance(999);
  expect(await reasonOf(introduce(leia, "han").asked())).toBe("RATE_LIMITED");
  clock.advance(1);
  await ask(leia, "han");
});

test("a session may have eight requests pending, and a user may be asked by thirty-two users at the same time", async () => {
  const crowd = Array.from({ length: 33 }, (_, index) => `ewok${index}`);
  await using server = await TestServer.start({ users: ["leia", ...crowd] });
  const leia = await logInSubscriber(server, "leia");
  const ewoks = await Promise.all(crowd.map((name) => logInSubscriber(server, name)));
  for (const name of crowd.slice(0, 8)) await ask(leia.client, name);
  const ninth = introduce(leia.client, crowd[8] ?? "").asked();
  await expect(ninth).rejects.toMatchObject({ reason: "RATE_LIMITED", retryDelayMs: 5_000 });
  await leia.client.logOut();
  const another = await logInSubscriber(server, "leia");
  for (const ewok of ewoks.slice(0, 32)) await ask(ewok.client, "leia");
  expect(await reasonOf(introduce(ewoks[32]?.client ?? another.client, "leia").asked())).toBe("RATE_LIMITED");
});

test("requests count towards the call rate of the session", async () => {
  await using server = await TestServer.start({ users: people, callRate: 3, clock: new ManualClock() });
  const leia = await logInDevice(server, "leia");
  let reason = "";
  for (let call = 0; call < 7 && reason !== "RATE_LIMITED"; call++) {
    reason = await reasonOf(introduce(leia, "han").asked());
  }
  expect(reason).toBe("RATE_LIMITED");
});

test("a request counts as a command; answers, reports and registrations do not", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: people, idleTimeoutMs: 60_000, clock });
  const leia = await logInDevice(server, "leia");
  const han = await logInSubscriber(server, "han");
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
  // leia, who kept asking, is still logged in.
  await expect.poll(() => leia.whoelse()).toEqual([]);
});

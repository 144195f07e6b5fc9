// Scenarios of questions whose programs go while their session stays online: who is waited for, how long, and how it ends.
import { expect, test } from "vitest";
import { Answer } from "../../gen/parley/chat/v1/introduction_service.ts";
import type { TestClient, TestStream } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { passUntil } from "../support/passing-time.ts";
import { TestServer } from "../support/server.ts";
import { answer, ask, device, take } from "./private.ts";

interface Scenario extends AsyncDisposable {
  /** Who is asked. */
  readonly leia: TestClient;
  /** Who asks. */
  readonly han: TestClient;
  /** Lets time pass on the server's clock until the promise settles. */
  readonly pass: <T>(promise: Promise<T>) => Promise<T>;
}

async function leiaAndHan(options: { readonly presenceGraceMs?: number } = {}): Promise<Scenario> {
  const clock = new ManualClock();
  const server = await TestServer.start({ users: ["leia", "han"], clock, ...options });
  const [leia, han] = [await device(server, "leia"), await device(server, "han")];
  const pass: Scenario["pass"] = (promise) => passUntil(promise, { server, clock, stepMs: 1_000 });
  return { leia, han, pass, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** Resolves when the server knows of it. */
async function go(program: TestStream): Promise<void> {
  program.finish();
  await program.ended;
}

const leave = (client: TestClient, id: string, processId: string) =>
  answer(client, id, { answer: Answer.PASS, processId });

test("a question is refused once all are gone that had not left it to the others", async () => {
  await using scenario = await leiaAndHan({ presenceGraceMs: 10_000 });
  const { leia, han } = scenario;
  using _listen = await take(leia, "listen");
  const chat = await take(leia, "chat");
  const { call, id } = await ask(han, "leia");
  await leave(leia, id, "listen");
  chat[Symbol.dispose]();
  expect(await scenario.pass(call.ended)).toMatchObject({ reason: "INTRODUCTION_REFUSED" });
});

test("it is refused as well where the one that passed went first", async () => {
  await using scenario = await leiaAndHan();
  const { leia, han } = scenario;
  const listen = await take(leia, "listen");
  const chat = await take(leia, "chat");
  using _other = await leia.connect().caughtUp();
  const { call, id } = await ask(han, "leia");
  await leave(leia, id, "listen");
  await go(listen);
  expect(call.messages).toHaveLength(1);
  await go(chat);
  expect(await call.ended).toMatchObject({ reason: "INTRODUCTION_REFUSED" });
});

test("it ends as offline once the last program is gone that takes private chats", async () => {
  await using scenario = await leiaAndHan({ presenceGraceMs: 10_000 });
  const { leia, han } = scenario;
  const chat = await take(leia, "chat");
  using _other = await leia.connect().caughtUp();
  const { call } = await ask(han, "leia");
  chat[Symbol.dispose]();
  expect(await scenario.pass(call.ended)).toMatchObject({ reason: "USER_OFFLINE" });
});

test("it waits for a program that was lost for less than the grace", async () => {
  await using scenario = await leiaAndHan({ presenceGraceMs: 60_000 });
  const { leia, han } = scenario;
  using listen = await take(leia, "listen");
  const chat = await take(leia, "chat");
  const { call, id } = await ask(han, "leia");
  await go(chat);
  // One that comes in between does not take the place of the one that was lost.
  await go(await take(leia, "another"));
  await leave(leia, id, "another");
  await leave(leia, id, "listen");
  using again = await take(leia, "chat");
  expect(await again.next("introductionRequested")).toMatchObject({ introductionId: id });
  await answer(leia, id, { processId: "chat" });
  await call.introduction();
  await listen.next("introductionClosed");
});

test("it waits for sixteen lost programs of a session, and for no more", async () => {
  await using scenario = await leiaAndHan({ presenceGraceMs: 60_000 });
  const { leia, han } = scenario;
  using _listen = await take(leia, "listen");
  const chat = await take(leia, "chat");
  const { call, id } = await ask(han, "leia");
  await leave(leia, id, "listen");
  await go(chat);
  for (let other = 1; other <= 16; other++) {
    expect(call.messages).toHaveLength(1);
    const program = await take(leia, `other ${other}`);
    await leave(leia, id, `other ${other}`);
    await go(program);
  }
  expect(await call.ended).toMatchObject({ reason: "INTRODUCTION_REFUSED" });
});

// Scenarios of requests whose callee loses programs while the session stays online: which programs the server waits for, how
// long, and how the request ends.
import { expect, test } from "vitest";
import { Answer } from "../../gen/parley/chat/v1/introduction_service.ts";
import type { TestClient, TestStream } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { advanceUntil } from "../support/passing-time.ts";
import { TestServer } from "../support/server.ts";
import { answer, ask, logInDevice, subscribe } from "./introduction-calls.ts";

interface Fixture extends AsyncDisposable {
  /** The callee. */
  readonly leia: TestClient;
  /** The caller. */
  readonly han: TestClient;
  /** Advances the server's clock until the promise settles. */
  readonly advanceUntil: <T>(promise: Promise<T>) => Promise<T>;
}

async function leiaAndHan(options: { readonly presenceGraceMs?: number } = {}): Promise<Fixture> {
  const clock = new ManualClock();
  const server = await TestServer.start({ users: ["leia", "han"], clock, ...options });
  return {
    leia: await logInDevice(server, "leia"),
    han: await logInDevice(server, "han"),
    advanceUntil: (promise) => advanceUntil(promise, { server, clock, stepMs: 1_000 }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Half-closes the program's stream. Resolves when the server has ended it. */
async function close(program: TestStream): Promise<void> {
  program.halfClose();
  await program.ended;
}

/** The program leaves the answer to the other programs. */
const pass = (client: TestClient, id: string, processId: string) =>
  answer(client, id, { answer: Answer.PASS, processId });

test("a request is refused once every program that did not pass has gone", async () => {
  await using fixture = await leiaAndHan({ presenceGraceMs: 10_000 });
  const { leia, han } = fixture;
  using _listen = await subscribe(leia, "listen");
  const chat = await subscribe(leia, "chat");
  const { call, id } = await ask(han, "leia");
  await pass(leia, id, "listen");
  chat[Symbol.dispose]();
  expect(await fixture.advanceUntil(call.ended)).toMatchObject({ reason: "INTRODUCTION_REFUSED" });
});

test("a request is also refused if the program that passed goes first", async () => {
  await using fixture = await leiaAndHan();
  const { leia, han } = fixture;
  const listen = await subscribe(leia, "listen");
  const chat = await subscribe(leia, "chat");
  using _other = await leia.connect().caughtUp();
  const { call, id } = await ask(han, "leia");
  await pass(leia, id, "listen");
  await close(listen);
  expect(call.messages).toHaveLength(1);
  await close(chat);
  expect(await call.ended).toMatchObject({ reason: "INTRODUCTION_REFUSED" });
});

test("a request ends with USER_OFFLINE once the last subscriber has gone", async () => {
  await using fixture = await leiaAndHan({ presenceGraceMs: 10_000 });
  const { leia, han } = fixture;
  const chat = await subscribe(leia, "chat");
  using _other = await leia.connect().caughtUp();
  const { call } = await ask(han, "leia");
  chat[Symbol.dispose]();
  expect(await fixture.advanceUntil(call.ended)).toMatchObject({ reason: "USER_OFFLINE" });
});

test("a request waits for a program that was lost less than the grace period ago", async () => {
  await using fixture = await leiaAndHan({ presenceGraceMs: 60_000 });
  const { leia, han } = fixture;
  using listen = await subscribe(leia, "listen");
  const chat = await subscribe(leia, "chat");
  const { call, id } = await ask(han, "leia");
  await close(chat);
  // A program that subscribes in between does not replace the lost one.
  await close(await subscribe(leia, "another"));
  await pass(leia, id, "another");
  await pass(leia, id, "listen");
  using again = await subscribe(leia, "chat");
  expect(await again.next("introductionRequested")).toMatchObject({ introductionId: id });
  await answer(leia, id, { processId: "chat" });
  await call.introduction();
  await listen.next("introductionClosed");
});

test("a request waits for at most sixteen lost programs of a session", async () => {
  await using fixture = await leiaAndHan({ presenceGraceMs: 60_000 });
  const { leia, han } = fixture;
  using _listen = await subscribe(leia, "listen");
  const chat = await subscribe(leia, "chat");
  const { call, id } = await ask(han, "leia");
  await pass(leia, id, "listen");
  await close(chat);
  for (let other = 1; other <= 16; other++) {
    expect(call.messages).toHaveLength(1);
    const program = await subscribe(leia, `other ${other}`);
    await pass(leia, id, `other ${other}`);
    await close(program);
  }
  expect(await call.ended).toMatchObject({ reason: "INTRODUCTION_REFUSED" });
});

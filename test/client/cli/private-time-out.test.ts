// The server's idle time-out and private chats in a pipe: sent lines are activity, and the peer is notified of the end.
import { afterEach, beforeEach, expect, it } from "vitest";
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { type EventOf, PrivateUser } from "../../private/private-user.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { TestServer } from "../../support/server.ts";
import { Person, type Running } from "./private-people.ts";

const IDLE_MS = 60_000;
const direct = ["--private-path", "direct"];

let clock: ManualClock;
let server: TestServer;

beforeEach(async () => {
  clock = new ManualClock();
  server = await TestServer.start({ users: ["luke", "yoda"], idleTimeoutMs: IDLE_MS, clock });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

/** luke's command, and its peer yoda, with a direct path. */
async function talking(lukes: Person, yoda: PrivateUser): Promise<Running> {
  const luke = lukes.start("private", "yoda", ...direct);
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept", { direct: true });
  await yoda.next("opened");
  return luke;
}

/** Lets the time pass until the chat ends for yoda, who is active all the time. */
async function endFor(yoda: PrivateUser): Promise<EventOf<"ended">["how"]> {
  const ended = yoda.next("ended");
  const isEnded = ended.then(() => true);
  while (!(await Promise.race([isEnded, yoda.account.reportActivity().then(() => false)]))) {
    clock.advance(IDLE_MS / 4);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return (await ended).how;
}

it("a user who sends no lines times out, and the peer is notified", async () => {
  await using lukes = await Person.at(server, "luke", "--plaintext");
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  const luke = await talking(lukes, yoda);
  luke.say("that is all");
  expect(await endFor(yoda)).toEqual({ kind: "goodbye", by: "them", ending: Ending.TIMED_OUT });
  const run = await luke.ended;
  expect(run).toMatchObject({ code: 4 });
  expect(run.stderr).toContain("No command arrived for too long, so you were logged out.");
  expect(run.stderr).not.toContain("not known to have arrived");
});

it("listen times out, and the peer is notified", async () => {
  await using lukes = await Person.at(server, "luke", "--plaintext");
  const luke = await lukes.listen("--private-answer", "accept", ...direct);
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  await yoda.chats.start("luke", { direct: true });
  expect((await yoda.next("opened")).path).toBe("direct");
  expect(await endFor(yoda)).toEqual({ kind: "goodbye", by: "them", ending: Ending.TIMED_OUT });
  expect(await luke.ended).toMatchObject({ code: 4 });
});

it("a pipe whose session ends elsewhere reports the lines that were not sent", async () => {
  await using lukes = await Person.at(server, "luke", "--plaintext");
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  const luke = await talking(lukes, yoda);
  // More lines than the peer's device accepts within a second, and than can be in flight.
  luke.say(...Array.from({ length: 5_000 }, (_, index) => `line ${index}`));
  await yoda.receives("luke", 100);
  await lukes.home.run("logout");
  const run = await luke.ended;
  expect(run.code).toBe(4);
  expect(run.stderr).toContain("Not sent: the private chat has ended.");
  expect(run.stderr).toMatch(/\d+ of your lines are not known to have arrived\./);
});

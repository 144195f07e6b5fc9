// The server's idle time-out and private chats in a pipe: sent lines are activity, and the peer is notified of the end.
import { afterEach, beforeEach, expect, it } from "vitest";
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { type EventOf, PrivateUser } from "../../private/private-user.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { TestServer } from "../../support/server.ts";
import { Person, type Running } from "./private-people.ts";

const IDLE_MS = 60_000;
const paths = [
  ["direct", true],
  ["relay", false],
] as const;

let clock: ManualClock;
let server: TestServer;

beforeEach(async () => {
  clock = new ManualClock();
  server = await TestServer.start({ users: ["luke", "yoda"], idleTimeoutMs: IDLE_MS, clock });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

/** luke's command, and its peer yoda, with a direct path unless another one is given. */
async function talking(lukes: Person, yoda: PrivateUser, path = "direct"): Promise<Running> {
  const luke = lukes.start("private", "yoda", "--private-path", path);
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept", { direct: path === "direct" });
  await yoda.next("opened");
  return luke;
}

/** Lets the time pass until luke's session has ended, and waits for the end of the chat at yoda, who is active. */
async function endFor(yoda: PrivateUser): Promise<EventOf<"ended">["how"]> {
  const ended = yoda.next("ended");
  while (await isLoggedIn("luke")) {
    clock.advance(IDLE_MS / 4);
    await yoda.account.reportActivity();
  }
  return (await ended).how;
}

async function isLoggedIn(username: string): Promise<boolean> {
  const sessions = await server.store.accounts.liveSessions(0, 100, clock.now());
  const users = await server.store.accounts.usersById(sessions.map(({ userId }) => userId));
  return users.some((user) => user.username === username);
}

it.each(paths)("a user who sends no lines times out, and the peer is notified (%s)", async (path) => {
  await using lukes = await Person.at(server, "luke", "--plaintext");
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  const luke = await talking(lukes, yoda, path);
  luke.say("that is all");
  expect(await endFor(yoda)).toEqual({ kind: "goodbye", by: "them", ending: Ending.TIMED_OUT });
  const run = await luke.ended;
  expect(run).toMatchObject({ code: 4 });
  expect(run.stderr).toContain("You are logged out: you gave no command for too long.");
  expect(run.stderr).not.toContain("not known to have arrived");
  expect(run.stderr).not.toContain("is lost");
});

it.each(paths)("listen times out, and the peer is notified (%s)", async (path, isDirect) => {
  await using lukes = await Person.at(server, "luke", "--plaintext");
  const luke = await lukes.listen("--private-answer", "accept", "--private-path", path);
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  await yoda.chats.start("luke", { direct: isDirect });
  expect((await yoda.next("opened")).path).toBe(isDirect ? "direct" : "relayed");
  expect(await endFor(yoda)).toEqual({ kind: "goodbye", by: "them", ending: Ending.TIMED_OUT });
  expect(await luke.ended).toMatchObject({ code: 4 });
});

it.each(paths)(
  "the chat of a user who times out says so, and the peer is notified (%s)",
  async (path, isDirect) => {
    await using lukes = await Person.at(server, "luke", "--plaintext");
    await using yoda = await PrivateUser.logIn(server.port, "yoda");
    const luke = lukes.start("chat", "--plain", "--private-path", path, "--private-answer", "accept");
    await luke.prints("Logged in as luke");
    await yoda.chats.start("luke", { direct: isDirect });
    await yoda.next("opened");
    await luke.prints("Private chat with yoda");
    expect(await endFor(yoda)).toEqual({ kind: "goodbye", by: "them", ending: Ending.TIMED_OUT });
    const run = await luke.ended;
    expect(run).toMatchObject({ code: 4 });
    expect(`${run.stdout}${run.stderr}`).not.toContain("is lost");
  },
);

it.each(paths)("a session that is ended elsewhere says so to the peer (%s)", async (path, isDirect) => {
  await using lukes = await Person.at(server, "luke", "--plaintext");
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  const luke = await lukes.listen("--private-answer", "accept", "--private-path", path);
  await yoda.chats.start("luke", { direct: isDirect });
  await yoda.next("opened");
  await lukes.home.run("logout");
  const { how } = await yoda.next("ended");
  expect(how).toEqual({ kind: "goodbye", by: "them", ending: Ending.LOGGED_OUT });
  const run = await luke.ended;
  expect(run.stderr).not.toContain("is lost");
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

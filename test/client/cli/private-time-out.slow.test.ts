// A private chat in a pipe and the server's idle time-out in real time: sent lines are activity.
import { expect, it } from "vitest";
import { PrivateUser } from "../../private/private-user.ts";
import { TestServer } from "../../support/server.ts";
import { Person } from "./private-people.ts";

/** Longer than a program takes to start on a busy machine, ms. */
const IDLE_MS = 6_000;

it("a user who sends lines through a pipe does not time out", async () => {
  await using server = await TestServer.start({ users: ["luke", "yoda"], idleTimeoutMs: IDLE_MS });
  await using lukes = await Person.at(server, "luke", "--plaintext");
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  const luke = lukes.start("private", "yoda", "--private-path", "direct");
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept", { direct: true });
  await yoda.next("opened");
  const isEnded = luke.ended.then(() => "ended" as const);
  const until = performance.now() + 1.5 * IDLE_MS;
  for (let line = 1; performance.now() < until; line++) {
    luke.say(`line ${line}`);
    const heard = await Promise.race([yoda.receives("luke", line), isEnded]);
    expect(heard).toHaveLength(line);
    await yoda.account.reportActivity();
  }
  luke.child.stdin.end();
  expect(await luke.ended).toMatchObject({ code: 0 });
});

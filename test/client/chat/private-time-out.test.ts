// A private chat ends when the server times one of the two out: the other is told why, though the server carries nothing.
import { expect, test } from "vitest";
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { PrivateUser } from "../../private/private-user.ts";
import { TestServer } from "../../support/server.ts";
import { Home } from "../cli/parley.ts";
import { Running } from "../cli/private-people.ts";

test("who is timed out says so to the other, and the program ends", async () => {
  await using server = await TestServer.start({ users: ["luke", "yoda"], idleTimeoutMs: 4_000 });
  await using home = await Home.make();
  await home.logIn("yoda", server, "--plaintext");
  const yoda = new Running(home.start("--plain", "--private-answer", "accept", "--private-path", "direct"));
  await yoda.prints("Logged in as yoda.");
  await using luke = await PrivateUser.logIn(server.port, "luke");
  await luke.chats.start("yoda", { direct: true });
  expect((await luke.next("opened")).path).toBe("direct");
  const over = luke.next("ended");
  const isOver = over.then(() => true);
  // luke is at work all the time.
  while (!(await Promise.race([isOver, luke.account.reportActivity().then(() => false)]))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await over).how).toEqual({ kind: "goodbye", by: "them", ending: Ending.TIMED_OUT });
  expect((await yoda.ended).code).toBe(4);
});

// The idle time-out ends a private chat: the user who is logged out notifies the peer, as the server does not see the chat.
import { expect, test } from "vitest";
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { PrivateUser } from "../../private/private-user.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { TestServer } from "../../support/server.ts";
import { Home } from "../cli/parley.ts";
import { Running } from "../cli/private-people.ts";

test("a user who times out notifies the peer, and the program ends", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: ["luke", "yoda"], idleTimeoutMs: 60_000, clock });
  await using home = await Home.make();
  await home.logIn("yoda", server, "--plaintext");
  const yoda = new Running(home.start("--plain", "--private-answer", "accept", "--private-path", "direct"));
  await yoda.prints("Logged in as yoda.");
  await using luke = await PrivateUser.logIn(server.port, "luke");
  await luke.chats.start("yoda", { direct: true });
  expect((await luke.next("opened")).path).toBe("direct");
  clock.advance(40_000);
  await luke.account.reportActivity();
  clock.advance(40_000);
  expect((await luke.next("ended")).how).toEqual({ kind: "goodbye", by: "them", ending: Ending.TIMED_OUT });
  expect((await yoda.ended).code).toBe(4);
});

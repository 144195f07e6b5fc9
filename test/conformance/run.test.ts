// Runs of a few checks of the kit, in this process: checks that pass and checks that are skipped.
import { expect, test } from "vitest";
import { checks } from "../../conformance/checks/table.ts";
import { run } from "../../conformance/run.ts";
import { TestServer } from "../support/server.ts";
import { plaintextServer, usernames, users } from "./fixture.ts";

/** Each of them takes some milliseconds; conformance.slow.test.ts runs all checks. */
const quick = ["log-in.grant", "stream.welcome", "ack.means-stored", "once.repeated", "content.unknown-kind"];
const furtherQuick = [
  "unknown.command",
  "refusals.on-a-stream",
  "markers.told",
  "block.send",
  "twins.same-effects",
];

test("this server passes a check of each simple group", async () => {
  await using server = await TestServer.start({ users: usernames });
  const names = [...quick, ...furtherQuick];
  const results = await run({
    server: plaintextServer(server.port),
    users,
    checks: checks.filter(({ name }) => names.includes(name)),
  });
  expect(results.map(({ name, status }) => [name, status])).toEqual(names.map((name) => [name, "passed"]));
});

test("a check that is not possible is skipped with the reason: with one session for each user, without a restart", async () => {
  await using server = await TestServer.start({
    users: usernames,
    sessionsPerUser: 1,
    presenceGraceMs: 3_600_000,
  });
  const names = ["ack.in-place", "presence.come-and-go", "presence.devices", "restart.goes-on"];
  const results = await run({
    server: plaintextServer(server.port),
    users,
    checks: checks.filter(({ name }) => names.includes(name)),
  });
  expect(results.map(({ name, status, why }) => [name, why ?? status])).toEqual([
    ["ack.in-place", "passed"],
    ["presence.come-and-go", "passed"],
    ["presence.devices", "the server allows only one session of a user at a time"],
    ["restart.goes-on", "no command to restart the server was given (--restart)"],
  ]);
});

// history and who: the newest messages, ranges, invisible messages, stored private lines, and presence.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { State } from "../../../client/state/state.ts";
import type { TestClient } from "../../support/client.ts";
import { TestServer } from "../../support/server.ts";
import { grantFor } from "../state/fixture.ts";
import { Home, parsed } from "./parley.ts";

let server: TestServer;
let yoda: Home;
let luke: TestClient;

beforeAll(async () => {
  server = await TestServer.start({ users: ["yoda", "luke", "leia"] });
  yoda = await Home.make();
  await yoda.logIn("yoda", server, "--plaintext");
  luke = await server.logIn("luke");
});

afterAll(async () => {
  await yoda[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

test("history prints the newest messages, oldest first, over many pages, or a range", async () => {
  expect(await yoda.run("history", "luke")).toMatchObject({ code: 0, stdout: "", stderr: "" });
  using stream = await luke.connect().caughtUp();
  for (let count = 1; count <= 1_100; count++) stream.send("yoda", `${count}`);
  while (stream.all("ack").length < 1_100) await stream.change();
  const numbers = async (...flags: string[]): Promise<number[]> => {
    const { code, lines } = await yoda.run("history", "luke", ...flags);
    expect(code).toBe(0);
    return lines.map((line) => Number(/ luke: (\d+)$/.exec(line)?.[1]));
  };
  const from = (first: number, last: number): number[] =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index);
  expect(await numbers()).toEqual(from(1_051, 1_100));
  expect(await numbers("-n", "3")).toEqual(from(1_098, 1_100));
  expect(await numbers("-n", "1050")).toEqual(from(51, 1_100));
  expect(await numbers("-n", "5000")).toEqual(from(1, 1_100));
  expect(await numbers("--from", "3", "--to", "5")).toEqual([3, 4, 5]);
  expect(await numbers("--from", "100", "--to", "1099")).toEqual(from(100, 1_099));
  expect(await numbers("--to", "2")).toEqual([1, 2]);
  expect(await numbers("--from", "1100")).toEqual([1_100]);
  expect(await numbers("--since", "1h", "--from", "1099")).toEqual([1_099, 1_100]);
  expect(await numbers("--until", "1h")).toEqual([]);
  expect(await numbers("--since", "2001-01-01", "--until", "2001-01-02 10:00")).toEqual([]);
  expect(await numbers("--until", "2101-01-01T00:00Z", "--to", "2")).toEqual([1, 2]);
});

test("broadcasts sent while the user was offline are printed as a range", async () => {
  await luke.broadcast("one");
  await luke.broadcast("two");
  expect((await yoda.run("history", "--broadcast")).stdout).toBe(
    "(messages 1 to 2 are not visible to you)\n",
  );
  const [line] = (await yoda.run("history", "--broadcast", "--json")).lines.map(parsed);
  expect(line).toMatchObject({ omitted: { fromSeq: "1", toSeq: "2" } });
});

test("invalid options of history are refused", async () => {
  const runs = await Promise.all([
    yoda.run("history"),
    yoda.run("history", "luke", "--broadcast"),
    yoda.run("history", "luke", "-n", "0"),
    yoda.run("history", "luke", "-n", "3", "--from", "1"),
    yoda.run("history", "luke", "--from", "x"),
    yoda.run("history", "luke", "--from", "5", "--to", "3"),
    yoda.run("history", "luke", "--since", "1h", "--until", "2h"),
    yoda.run("history", "luke", "--since", "2026-13-01"),
    yoda.run("history", "luke", "--since", "yesterday"),
  ]);
  expect(runs.map(({ code }) => code)).toEqual(runs.map(() => 2));
  expect(await yoda.run("history", "nobody")).toMatchObject({ code: 1, stdout: "" });
});

test("history --private prints and deletes stored lines, and calls no server", async () => {
  await using home = await Home.make();
  {
    using state = new State(home.folder, { onProblem: (error) => expect.fail(error.message) });
    // No server listens at this port.
    state.servers.remember("127.0.0.1:1", { kind: "plaintext" });
    const { profile } = state.profiles.loggedIn("127.0.0.1:1", grantFor("luke"));
    const lines = state.privateLines(profile.profileId);
    const time = new Date("2026-02-01T12:00:00Z");
    lines.add({ username: "yoda", mine: false, time, text: "one" });
    lines.add({ username: "yoda", mine: true, time, text: "two\nlines" });
    lines.add({ username: "leia", mine: false, time, text: "\u001B[31mhers" });
  }
  expect(await home.run("history", "yoda", "--private")).toMatchObject({
    code: 0,
    stdout: "2026-02-01 12:00:00 yoda: one\n2026-02-01 12:00:00 luke: two\n    lines\n",
    stderr: "",
  });
  expect((await home.run("history", "yoda", "--private", "-n", "1")).lines).toEqual([
    "2026-02-01 12:00:00 luke: two",
    "    lines",
  ]);
  expect((await home.run("history", "leia", "--private")).stdout).toContain("leia: \u241B[31mhers");
  expect((await home.run("history", "yoda", "--private", "--forget")).stdout).toBe(
    "2 lines are deleted from private chats with yoda.\n",
  );
  expect(await home.run("history", "yoda", "--private")).toMatchObject({
    code: 0,
    stdout: "",
    stderr: "No lines of private chats with yoda are stored on this device.\n",
  });
  expect((await home.run("history", "leia", "--private")).lines).toHaveLength(1);
  {
    using other = new DatabaseSync(join(home.folder, "state.db"));
    other.exec("BEGIN; SELECT text FROM private_lines");
    const run = await home.run("history", "leia", "--private", "--forget");
    expect(run).toMatchObject({ code: 1, stdout: "1 line is deleted from private chats with leia.\n" });
    expect(run.stderr).toContain("may still be in the state file");
  }
  expect(await home.run("history", "leia", "--private", "--forget")).toMatchObject({ code: 0 });
});

test("flags that contradict --private are refused as a command line", async () => {
  const wrong = [
    ["--private"],
    ["luke", "--private", "--broadcast"],
    ["--broadcast", "--private"],
    ["luke", "--private", "--from", "1"],
    ["luke", "--private", "--to", "1"],
    ["luke", "--private", "--mark"],
    ["luke", "--private", "--forget", "-n", "1"],
    ["luke", "--forget"],
  ];
  for (const flags of wrong) {
    const run = await yoda.run("history", ...flags);
    expect([flags, run.code, run.stdout]).toEqual([flags, 2, ""]);
  }
  await using nobody = await Home.make();
  expect(await nobody.run("history", "luke", "--private")).toMatchObject({ code: 4, stdout: "" });
});

test("who lists the other users online, and with --since those who were", async () => {
  const leia = await server.logIn("leia");
  using here = await luke.connect().caughtUp();
  const visit = await leia.connect().caughtUp();
  visit[Symbol.dispose]();
  await here.next("presenceChanged", ({ wentOffline }) =>
    wentOffline.some(({ username }) => username === "leia"),
  );
  expect(await yoda.run("who")).toMatchObject({ code: 0, stdout: "luke\n", stderr: "" });
  const since = await yoda.run("who", "--since", "1h");
  expect(since.lines).toEqual([
    expect.stringMatching(/^leia {2}until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
    "luke",
  ]);
  const json = (await yoda.run("who", "--since", "1h", "--json")).lines.map(parsed);
  expect(json).toMatchObject([{ user: { username: "leia" } }, { user: { username: "luke" }, online: true }]);
  expect(await yoda.run("who", "--since", "-5")).toMatchObject({ code: 2 });
  expect(await yoda.run("who", "--since", "99999999d")).toMatchObject({ code: 0 });
});

// parley send: the text, refusals, exit codes, and repeated ids.

import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { passwordOf, type TestServer } from "../../support/server.ts";
import { afterAppend, FaultyProxy } from "./faults.ts";
import { Home, parsed, type Run, startServer } from "./parley.ts";

let server: TestServer;
let home: Home;

beforeAll(async () => {
  server = await startServer({ users: ["yoda", "luke", "leia"] });
  home = await Home.make();
  await home.logIn("luke", server);
  await home.logIn("yoda", server);
});

afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** The unchanged texts of a conversation. */
async function texts(home: Home, ...argv: string[]): Promise<string[]> {
  const run = await home.run("history", ...argv, "--json", "-n", "1000");
  expect(run).toMatchObject({ code: 0, stderr: "" });
  return run.lines.map(
    (line) => (parsed(line) as { entry: { content: { text: string } } }).entry.content.text,
  );
}

test("words are joined by spaces; the text of standard input is unchanged without one newline at its end", async () => {
  const words = await home.run("send", "luke", "do", " or ", "do not", "--", "--json", "-");
  expect(words).toMatchObject({ code: 0, stdout: "Sent as yoda to luke: number 1.\n", stderr: "" });
  expect(await home.pipe("two\nlines\n\n", "send", "luke", "-")).toMatchObject({ code: 0 });
  expect(await home.pipe("\u{FEFF}no newline 🎉\r\n", "send", "luke", "-")).toMatchObject({ code: 0 });
  expect(await home.run("send", "luke", "-", "-")).toMatchObject({ code: 0 });
  expect(await texts(home, "luke")).toEqual([
    "do  or  do not --json -",
    "two\nlines\n",
    "\u{FEFF}no newline 🎉",
    "- -",
  ]);
});

test("invalid messages are refused with exit code 1 or 2, and nothing is stored", async () => {
  const before = await texts(home, "luke");
  const refused: [Run, string][] = await Promise.all([
    home.run("send", "nobody", "hello").then((run): [Run, string] => [run, "USER_NOT_FOUND"]),
    home.run("send", "yoda", "to myself").then((run): [Run, string] => [run, "RECIPIENT_IS_SELF"]),
    home.run("send", "luke", "").then((run): [Run, string] => [run, "CONTENT_EMPTY"]),
    home.pipe(" \n\t\n", "send", "luke", "-").then((run): [Run, string] => [run, "CONTENT_EMPTY"]),
    home.run("broadcast", "   ").then((run): [Run, string] => [run, "CONTENT_EMPTY"]),
    home
      .pipe("x".repeat(100_000), "send", "luke", "-", "--json")
      .then((run): [Run, string] => [run, "CONTENT_TOO_LARGE"]),
  ]);
  for (const [run, reason] of refused) {
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain(`(${reason})`);
  }
  const bad = await Promise.all([
    home.pipe(Buffer.from([0x68, 0xff]), "send", "luke", "-"),
    home.run("send", "luke", "hello", "--id", "0"),
    home.run("send", "luke", "hello", "--id", "9223372036854775808"),
    home.run("send", "luke", "hello", "--wait", "soon"),
    home.run("send", "luke"),
  ]);
  expect(bad.map(({ code, stdout }) => ({ code, stdout }))).toEqual(bad.map(() => ({ code: 2, stdout: "" })));
  expect(bad[0]?.stderr).toContain("UTF-8");
  expect(await texts(home, "luke")).toEqual(before);
});

test("a repeated id sends once; another text under the same id is refused", async () => {
  const first = await home.run("send", "luke", "under my own id", "--id", "777000", "--json");
  const again = await home.run("send", "luke", "under my own id", "--id", "777000", "--json");
  expect(parsed(again.stdout)).toEqual({ ...parsed(first.stdout), repeatedSend: true });
  const other = await home.run("send", "luke", "something else", "--id", "777000");
  expect(other.code).toBe(1);
  expect(other.stderr).toContain("(CLIENT_MESSAGE_ID_REUSED)");
});

test("without a server the exit code is 3, and nothing was sent", async () => {
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const address = closed.address();
  const port = typeof address === "object" ? address?.port : 0;
  closed.close();
  await once(closed, "close");
  await using lost = await Home.make();
  const login = await lost.pipe("x", "login", "yoda", "--password-stdin", "--server", `127.0.0.1:${port}`);
  expect(login).toMatchObject({ code: 3, stdout: "" });
  expect(login.stderr).toContain("nothing was sent");

  // A known server that is stopped.
  await using away = await startServer();
  await lost.logIn("yoda", away);
  await away.stop();
  const sent = await lost.run("send", "luke", "hello", "--wait", "1s");
  expect(sent).toMatchObject({ code: 3, stdout: "" });
  expect(sent.stderr).toContain(`Nothing listens on port ${away.port}`);
  // A server that starts while send still tries receives the message.
  const trying = lost.run("send", "luke", "hello again", "--wait", "20s");
  await away.start();
  expect(await trying).toMatchObject({ code: 0, stderr: "" });
  expect(await texts(lost, "luke")).toEqual(["hello again"]);
});

test("a lost answer leaves the outcome unknown, and --id settles it; a cut connection is retried", async () => {
  let atCommit: () => void = () => undefined;
  await using lossy = await startServer({ wrapStore: afterAppend(() => atCommit()) });
  await using proxy = await FaultyProxy.start(() => lossy.port);
  await using home = await Home.make();
  const login = ["login", "yoda", "--password-stdin", "--server", proxy.address];
  expect(await home.pipe(passwordOf("yoda"), ...login)).toMatchObject({ code: 0 });

  atCommit = () => proxy.fault("swallow");
  const unknown = await home.run("send", "luke", "did it arrive?", "--wait", "2s", "--json");
  expect(unknown).toMatchObject({ code: 5, stdout: "" });
  const id = /--id (\d+)/.exec(unknown.stderr)?.[1] ?? "";
  atCommit = () => undefined;
  proxy.fault("none");
  const again = await home.run("send", "luke", "did it arrive?", "--id", id, "--json");
  expect(again).toMatchObject({ code: 0, stderr: "" });
  expect(parsed(again.stdout)).toMatchObject({ clientMessageId: id, seq: "1", repeatedSend: true });

  atCommit = () => {
    atCommit = () => undefined;
    proxy.fault("cut");
  };
  const retried = await home.run("send", "luke", "and this?", "--json");
  expect(retried).toMatchObject({ code: 0, stderr: "" });
  expect(parsed(retried.stdout)).toMatchObject({ seq: "2", repeatedSend: true });
  expect(await texts(home, "luke")).toEqual(["did it arrive?", "and this?"]);
});

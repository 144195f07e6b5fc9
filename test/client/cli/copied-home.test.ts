// A copied or restored state folder would send under ids that were used: every path that sends finds out and renumbers.
import { cp } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestServer } from "../../support/server.ts";
import { Home, parsed, startServer } from "./parley.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ users: ["yoda", "luke", "leia", "han"] });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const notice = /^This installation is a copy of another one, or was restored from a backup/;

/** The home of a user who is logged in, and a copy of it. */
async function copied(username: string): Promise<{ home: Home; copy: Home } & AsyncDisposable> {
  const home = await Home.make();
  await home.logIn(username, server);
  const copy = await Home.make();
  await cp(home.folder, copy.folder, { recursive: true });
  return {
    home,
    copy,
    [Symbol.asyncDispose]: async () => {
      await home[Symbol.asyncDispose]();
      await copy[Symbol.asyncDispose]();
    },
  };
}

async function texts(home: Home, ...argv: string[]): Promise<string[]> {
  const run = await home.run("history", ...argv, "--json", "-n", "1000");
  return run.lines.map(
    (line) => (parsed(line) as { entry: { content: { text: string } } }).entry.content.text,
  );
}

test("send and broadcast store the message under another id, and say why", async () => {
  await using homes = await copied("luke");
  const { home, copy } = homes;
  for (const text of ["one", "two", "three"]) await home.run("send", "yoda", text);
  const same = await copy.run("send", "yoda", "one");
  expect(same).toMatchObject({ code: 0, stdout: "Sent as luke to yoda: number 4.\n" });
  expect(same.stderr).toMatch(notice);
  // From now on the ids of the copy are its own.
  expect(await copy.run("send", "yoda", "two")).toMatchObject({ code: 0, stderr: "" });
  expect(await home.run("send", "yoda", "four")).toMatchObject({ code: 0, stderr: "" });
  expect(await texts(home, "yoda")).toEqual(["one", "two", "three", "one", "two", "four"]);

  await using others = await copied("luke");
  await others.home.run("send", "yoda", "five");
  const broadcast = await others.copy.run("broadcast", "to everyone");
  expect(broadcast).toMatchObject({ code: 0 });
  expect(broadcast.stderr).toMatch(notice);
  expect(await texts(home, "--broadcast")).toEqual(["to everyone"]);
});

test("with --id the first answer is the result, because the user says that it is an earlier attempt", async () => {
  await using homes = await copied("leia");
  const { home } = homes;
  expect(await home.run("send", "yoda", "one", "--id", "5")).toMatchObject({ code: 0 });
  expect(await home.run("send", "yoda", "one", "--id", "5")).toMatchObject({ code: 0, stderr: "" });
  const other = await home.run("send", "yoda", "two", "--id", "5");
  expect(other).toMatchObject({ code: 1, stdout: "" });
  expect(other.stderr).toContain("CLIENT_MESSAGE_ID_REUSED");
  expect(await texts(home, "yoda")).toEqual(["one"]);
});

test("the chat stores each message, in order, and says why once", async () => {
  await using homes = await copied("han");
  const { home, copy } = homes;
  for (const text of ["one", "two"]) await home.run("send", "yoda", text);
  const chat = await copy.pipe("message yoda one\nmessage yoda other\nmessage yoda third\nquit\n");
  expect(chat).toMatchObject({ code: 0, stderr: "" });
  expect(chat.lines.filter((line) => notice.test(line))).toHaveLength(1);
  expect(await texts(home, "yoda")).toEqual(["one", "two", "one", "other", "third"]);
});

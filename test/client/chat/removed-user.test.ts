// A conversation with a user who was removed: it is read and counted as any other, and only sending is refused.
import { afterEach, beforeEach, expect, it } from "vitest";
import type { TestServer } from "../../support/server.ts";
import { Home, startServer } from "../cli/parley.ts";

let server: TestServer;
let home: Home;

beforeEach(async () => {
  server = await startServer({ users: ["luke", "han"] });
  home = await Home.make();
  await home.logIn("luke", server);
  await using hans = await Home.make();
  await hans.logIn("han", server);
  await hans.run("send", "luke", "first words");
  await hans.run("send", "luke", "last words");
  await server.store.accounts.removeUser("han");
});

afterEach(async () => {
  await home[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

it("is opened by Alt-a, which marks it as read, and has a history", async () => {
  const first = home.startAtTerminal();
  await first.sees("last words");
  await first.sees("unread: han 2 (Alt-a)");
  first.type("/quit\r");
  expect(await first.exited).toBe(0);
  const luke = home.startAtTerminal();
  await luke.sees("Unread from before: han 2.");
  luke.type("\x1ba");
  await luke.sees(/unread ─.*first words.*last words.*han> /s);
  luke.shown = "";
  luke.type("\x1ba");
  await luke.sees("There are no unread messages.");
  luke.shown = "";
  luke.type("/history\r");
  await luke.sees(/earlier with han.*first words.*last words/s);
  luke.shown = "";
  luke.type("are you there?\r");
  await luke.sees("Not sent to han: ");
  await luke.sees("“are you there?”");
  expect(luke.plain).not.toContain("luke: are you there?");
  luke.type("/quit\r");
  expect(await luke.exited).toBe(0);
});

it("is printed by parley history, and by name only to those who are in it", async () => {
  expect((await home.run("history", "han")).stdout).toMatch(/han: first words\n.*han: last words\n$/);
  expect((await home.run("history", "han", "--from", "2", "--mark")).lines).toHaveLength(1);
  expect(await home.run("send", "han", "hello")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("(USER_NOT_FOUND)") as string,
  });
  expect((await home.run("history", "nobody")).stderr).toContain("(USER_NOT_FOUND)");
});

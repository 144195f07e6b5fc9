// Names that were typed in another form: the commands and the chat find the stored login and the user.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestServer } from "../../support/server.ts";
import { Home, startServer } from "./parley.ts";

const composed = "zo\u00eb";
const decomposed = "zoe\u0308";
const fullWidth = "\uff59\uff4f\uff44\uff41"; // "yoda"

let server: TestServer;
let home: Home;

beforeAll(async () => {
  server = await startServer({ users: [composed, "yoda"] });
  home = await Home.make();
  await home.logIn(composed, server);
  await home.logIn("yoda", server);
});

afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

test("--as finds the stored login of a name in another form", async () => {
  const run = await home.run("send", "--as", decomposed, fullWidth, "hello");
  expect(run).toMatchObject({ code: 0, stderr: "", stdout: `Sent as ${composed} to yoda: number 1.\n` });
  expect(await home.run("whoami", "--as", fullWidth)).toMatchObject({ code: 0 });
});

test("a command compares a name in another form with its own user", async () => {
  const run = await home.run("verify", "--as", "yoda", fullWidth);
  expect(run).toEqual(await home.run("verify", "--as", "yoda", "yoda"));
});

test("words of a text stay as they are", async () => {
  await home.run("send", "--as", composed, "yoda", fullWidth);
  expect((await home.run("history", "--as", "yoda", decomposed, "-n", "1")).stdout).toContain(fullWidth);
});

test("the chat shows the stored form", async () => {
  const run = await home.pipe(
    `open ${fullWidth}\nhello again\n/private ${fullWidth} psst\n`,
    "chat",
    "--as",
    decomposed,
  );
  expect(run.stdout).toContain("No private chat with yoda is open.");
});

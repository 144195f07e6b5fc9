// How the end of a program shows in the user's presence: a user who leaves the chat is offline at once, and a script that ends
// stays online for the grace period.
import { expect, test } from "vitest";
import type { TestServer } from "../../support/server.ts";
import { Home, startServer } from "./parley.ts";

const graceMs = 3_600_000;

async function online(server: TestServer): Promise<number> {
  const users = await server.store.presence.list(Date.now(), Date.now(), 0, "", 10);
  return users.filter((user) => user.online).length;
}

test("/quit in the chat shows the user offline at once", async () => {
  await using server = await startServer({ presenceGraceMs: graceMs });
  await using home = await Home.make();
  await home.logIn("yoda", server);
  expect(await home.pipe("/quit\n")).toMatchObject({ code: 0 });
  await expect.poll(() => online(server)).toBe(0);
});

test("Ctrl-D at the terminal shows the user offline at once", async () => {
  await using server = await startServer({ presenceGraceMs: graceMs });
  await using home = await Home.make();
  await home.logIn("yoda", server);
  const user = home.startAtTerminal();
  await expect.poll(() => online(server)).toBe(1);
  await user.sees("yoda");
  user.type("\x04");
  expect(await user.exited).toBe(0);
  await expect.poll(() => online(server)).toBe(0);
});

test("the end of the input of a script does not", async () => {
  await using server = await startServer({ presenceGraceMs: graceMs });
  await using home = await Home.make();
  await home.logIn("yoda", server);
  expect(await home.pipe("/who\n")).toMatchObject({ code: 0 });
  expect(await online(server)).toBe(1);
});

test("the end of a one-shot command that receives does not", async () => {
  await using server = await startServer({ presenceGraceMs: graceMs });
  await using home = await Home.make();
  await home.logIn("yoda", server);
  const tail = home.start("tail");
  await expect.poll(() => online(server)).toBe(1);
  tail.kill("SIGTERM");
  await tail.exited;
  expect(await online(server)).toBe(1);
});

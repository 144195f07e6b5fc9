// Questions to a user at a terminal: what is asked, that passwords are not shown, and how the user cancels.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestServer } from "../../support/server.ts";
import { Home, startServer } from "./parley.ts";

let server: TestServer;
let elsewhere: string;

beforeAll(async () => {
  server = await startServer();
  elsewhere = `0.0.0.0:${server.port}`;
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

test.each(["luke", "nobody"])(
  "login as %s asks again after a wrong password, until log-ins are locked",
  async (name) => {
    await using home = await Home.make();
    const user = home.startAtTerminal("login", name, "--server", elsewhere, "--accept-new");
    await user.answers(`Password of ${name}`, "not it\r");
    for (let tries = 2; tries <= 3; tries++)
      await user.answers(/password is wrong\. Try again\..*Password of/s, "not it\r");
    expect(await user.exited).toBe(1);
    const locked = "Error: Too many wrong passwords: log-ins are locked for a while. Try again in 60 s.";
    expect(user.shown.trimEnd().endsWith(locked)).toBe(true);
  },
);

test("a new password is asked for twice, and may have any letters", async () => {
  await using home = await Home.make();
  const place = ["--server", elsewhere, "--accept-new"];
  const typo = home.startAtTerminal("signup", "rey", ...place);
  await typo.answers("New password", "a pässwörd 漢字 🎉\r");
  await typo.answers("The same again", "a pässwörd 漢字\r");
  expect(await typo.exited).toBe(1);
  const rey = home.startAtTerminal("signup", "rey", ...place);
  await rey.answers("New password", "a pässwörd 漢字 🎉\r");
  await rey.answers("The same again", "a pässwörd 漢字 🎉\r");
  expect(await rey.exited).toBe(0);
  const login = await home.pipe("a pässwörd 漢字 🎉\n", "login", "rey", "--password-stdin");
  expect(login).toMatchObject({ code: 0 });
});

test.each([
  ["Ctrl-C", "\x03"],
  ["Ctrl-D", "\x04"],
])("%s cancels with exit code 130, and shows no message", async (_name, key) => {
  await using home = await Home.make();
  const user = home.startAtTerminal("login", "--server", elsewhere, "--accept-new");
  await user.answers("Username", key);
  expect(await user.exited).toBe(130);
  expect(user.shown).not.toMatch(/Error|Warning/);
  expect(await home.run("whoami")).toMatchObject({ code: 4 });
});

// Questions to a person at a terminal: what is asked, that passwords are not shown, and how one breaks off.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasTerminal, Person } from "../../support/person.ts";
import { passwordOf, type TestServer } from "../../support/server.ts";
import { Home, startServer } from "./parley.ts";

/** A person who calls parley, at home. */
const personAt = (home: Home, ...argv: string[]): Person =>
  new Person("parley", argv, { HOME: home.folder, PARLEY_HOME: home.folder });

let server: TestServer;
let elsewhere: string;

beforeAll(async () => {
  server = await startServer();
  elsewhere = `0.0.0.0:${server.port}`;
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describe.skipIf(!hasTerminal)("at a terminal", () => {
  test("login asks about a new server, then for user and password, and shows no password", async () => {
    await using home = await Home.make();
    const doubtful = personAt(home, "login", "yoda", "--server", elsewhere);
    await doubtful.answers("Is that what its operator gave you? (yes/no)", "no\r");
    expect(await doubtful.exitCode()).toBe(1);
    expect(doubtful.shown).toContain("Ask its operator for the fingerprint");

    const yoda = personAt(home, "login", "--server", elsewhere);
    await yoda.answers("Username", "yoda\r");
    await yoda.answers("Is that what its operator gave you? (yes/no)", "perhaps\r");
    await yoda.answers("Please type yes or no", "yes\r");
    await yoda.answers("Password of yoda", `${passwordOf("yoda")}\r`);
    expect(await yoda.exitCode()).toBe(0);
    expect(yoda.shown).toContain(`Logged in at ${elsewhere} as yoda.`);
    expect(yoda.shown).not.toContain(passwordOf("yoda"));
  });

  test.each(["luke", "nobody"])(
    "login as %s asks again for a wrong password, until log-ins are locked",
    async (name) => {
      await using home = await Home.make();
      const person = personAt(home, "login", name, "--server", elsewhere, "--accept-new");
      await person.answers(`Password of ${name}`, "not it\r");
      for (let tries = 2; tries <= 3; tries++) {
        await expect.poll(() => person.shown).toMatch(/password is wrong\. Try again\..*Password of/s);
        await person.answers("Password of", "not it\r");
      }
      expect(await person.exitCode()).toBe(1);
      const locked = "Error: Too many wrong passwords: log-ins are locked for a while. Try again in 60 s.";
      expect(person.shown.trimEnd().endsWith(locked)).toBe(true);
    },
  );

  test("a new password is asked for twice, and any letters will do", async () => {
    await using home = await Home.make();
    const place = ["--server", elsewhere, "--accept-new"];
    const typo = personAt(home, "signup", "rey", ...place);
    await typo.answers("New password", "a pässwörd 漢字 🎉\r");
    await typo.answers("The same again", "a pässwörd 漢字\r");
    expect(await typo.exitCode()).toBe(1);
    const rey = personAt(home, "signup", "rey", ...place);
    await rey.answers("New password", "a pässwörd 漢字 🎉\r");
    await rey.answers("The same again", "a pässwörd 漢字 🎉\r");
    expect(await rey.exitCode()).toBe(0);
    const login = await home.pipe("a pässwörd 漢字 🎉\n", "login", "rey", "--password-stdin");
    expect(login).toMatchObject({ code: 0 });
  });

  test.each([
    ["Ctrl-C", "\x03"],
    ["Ctrl-D", "\x04"],
  ])("%s breaks off with exit code 130, and says nothing", async (_name, key) => {
    await using home = await Home.make();
    const person = personAt(home, "login", "--server", elsewhere, "--accept-new");
    await person.answers("Username", key);
    expect(await person.exitCode()).toBe(130);
    expect(person.shown).not.toMatch(/Error|Warning/);
    expect(await home.run("whoami")).toMatchObject({ code: 4 });
  });
});

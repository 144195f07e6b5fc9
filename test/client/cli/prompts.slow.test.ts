// Questions of a process at a pseudo terminal: the terminal does not show a typed password.
import { expect, test } from "vitest";
import { hasTerminal, Person } from "../../support/person.ts";
import { passwordOf } from "../../support/server.ts";
import { Home, startServer } from "./parley.ts";

/** A user who starts parley with this state folder. */
const personAt = (home: Home, ...argv: string[]): Person =>
  new Person("parley", argv, { HOME: home.folder, PARLEY_HOME: home.folder });

test.skipIf(!hasTerminal)(
  "login asks about a new server, then for user and password, and shows no password",
  async () => {
    await using server = await startServer();
    const elsewhere = `0.0.0.0:${server.port}`;
    await using home = await Home.make();
    const doubtful = personAt(home, "login", "yoda", "--server", elsewhere);
    await doubtful.answers("Is that the key that its operator gave you? (yes/no)", "no\r");
    expect(await doubtful.exitCode()).toBe(1);
    expect(doubtful.shown).toContain("Ask its operator for the fingerprint");

    const yoda = personAt(home, "login", "--server", elsewhere);
    await yoda.answers("Username", "yoda\r");
    await yoda.answers("Is that the key that its operator gave you? (yes/no)", "perhaps\r");
    await yoda.answers("Please type yes or no", "yes\r");
    await yoda.answers("Password of yoda", `${passwordOf("yoda")}\r`);
    expect(await yoda.exitCode()).toBe(0);
    expect(yoda.shown).toContain(`Logged in at ${elsewhere} as yoda.`);
    expect(yoda.shown).not.toContain(passwordOf("yoda"));
  },
);

test.skipIf(!hasTerminal).each([
  ["Ctrl-C", "\x03"],
  ["Ctrl-D", "\x04"],
])("%s cancels with exit code 130, and shows no message", async (_name, key) => {
  await using home = await Home.make();
  const person = personAt(home, "login", "--server", "127.0.0.1:1", "--accept-new");
  await person.answers("Username", key);
  expect(await person.exitCode()).toBe(130);
  expect(person.shown).not.toMatch(/Error|Warning/);
});

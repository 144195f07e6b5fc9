// Questions to a person at a terminal: what is asked, that passwords are not shown, and how one breaks off.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { passwordOf, type TestServer } from "../../support/server.ts";
import { Home, startServer } from "./parley.ts";

const program = fileURLToPath(new URL("../../../bin/parley.js", import.meta.url));
/** util-linux gives its command a pseudo terminal; others of that name take other flags. */
const hasScript = spawnSync("script", ["-qfec", "true", "/dev/null"]).status === 0;

/** A person at a terminal. */
class Person {
  written = "";
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exit: Promise<unknown[]>;

  constructor(home: Home, ...argv: string[]) {
    const command = [process.execPath, program, ...argv].map((word) => `'${word}'`).join(" ");
    const env = {
      PATH: process.env.PATH,
      HOME: home.folder,
      PARLEY_HOME: home.folder,
      TERM: "xterm-256color",
    };
    this.#child = spawn("script", ["-qfec", command, "/dev/null"], { env });
    this.#exit = once(this.#child, "exit");
    this.#child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      this.written += chunk;
    });
  }

  /** Waits for a question, and types. */
  async answers(question: string, keys: string): Promise<void> {
    const tooLate = AbortSignal.timeout(15_000);
    while (!this.written.includes(question)) await once(this.#child.stdout, "data", { signal: tooLate });
    this.written = "";
    this.#child.stdin.write(keys);
  }

  async exitCode(): Promise<unknown> {
    return (await this.#exit)[0];
  }
}

let server: TestServer;
let elsewhere: string;

beforeAll(async () => {
  server = await startServer();
  elsewhere = `0.0.0.0:${server.port}`;
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describe.skipIf(!hasScript)("at a terminal", () => {
  test("login asks about a new server, then for user and password, and shows no password", async () => {
    await using home = await Home.make();
    const doubtful = new Person(home, "login", "yoda", "--server", elsewhere);
    await doubtful.answers("Is that what its operator gave you? (yes/no)", "no\r");
    expect(await doubtful.exitCode()).toBe(1);
    expect(doubtful.written).toContain("Ask its operator for the fingerprint");

    const yoda = new Person(home, "login", "--server", elsewhere);
    await yoda.answers("Username", "yoda\r");
    await yoda.answers("Is that what its operator gave you? (yes/no)", "perhaps\r");
    await yoda.answers("Please type yes or no", "yes\r");
    await yoda.answers("Password of yoda", `${passwordOf("yoda")}\r`);
    expect(await yoda.exitCode()).toBe(0);
    expect(yoda.written).toContain(`Logged in at ${elsewhere} as yoda.`);
    expect(yoda.written).not.toContain(passwordOf("yoda"));
  });

  test("a new password is asked for twice, and any letters will do", async () => {
    await using home = await Home.make();
    const place = ["--server", elsewhere, "--accept-new"];
    const typo = new Person(home, "signup", "rey", ...place);
    await typo.answers("New password", "a pässwörd 漢字 🎉\r");
    await typo.answers("The same again", "a pässwörd 漢字\r");
    expect(await typo.exitCode()).toBe(1);
    const rey = new Person(home, "signup", "rey", ...place);
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
    const person = new Person(home, "login", "--server", elsewhere, "--accept-new");
    await person.answers("Username", key);
    expect(await person.exitCode()).toBe(130);
    expect(person.written).not.toMatch(/Error|Warning/);
    expect(await home.run("whoami")).toMatchObject({ code: 4 });
  });
});

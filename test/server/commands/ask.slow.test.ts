// The prompt for a new password on a terminal: twice, without echo, and it can be cancelled.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hasTerminal, Person } from "../../support/person.ts";

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "parley-ask-"));
});
afterEach(() => rm(data, { recursive: true }));

const operator = (...argv: string[]): Person => new Person("parley-server", [...argv, "--data", data]);

describe.skipIf(!hasTerminal)("at a terminal", () => {
  test("the password is prompted for twice, and not shown", async () => {
    const typo = operator("user", "add", "yoda");
    await typo.answers("Password", "a long password\r");
    await typo.answers("Password again", "a log password\r");
    expect(await typo.exitCode()).toBe(1);
    expect(typo.shown).toContain("the two passwords differ; nothing was changed");
    const sure = operator("user", "add", "yoda");
    await sure.answers("Password", "a long password\r");
    await sure.answers("Password again", "a long password\r");
    expect(await sure.exitCode()).toBe(0);
    expect(sure.shown).toContain("yoda can log in now.");
    expect(sure.shown).not.toContain("a long password");
  });

  test.each([
    ["Ctrl-C", "\x03"],
    ["Ctrl-D", "\x04"],
  ])("%s cancels and changes nothing", async (_, key) => {
    const person = operator("user", "add", "yoda");
    await person.answers("Password", key);
    expect(await person.exitCode()).toBe(1);
    expect(person.shown).toContain("cancelled; nothing was changed");
    expect(person.shown).not.toMatch(/Error|Warning/);
  });
});

// parley verify: the codes of both users, confirmation, and changed keys.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TestServer } from "../../support/server.ts";
import { startServer } from "./parley.ts";
import { Person, type Running } from "./private-people.ts";

let server: TestServer;

beforeEach(async () => {
  server = await startServer({ users: ["yoda", "luke"] });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

/** A user whose device has registered its keys. */
async function withKeys(name: string): Promise<Person> {
  const person = await Person.at(server, name);
  expect(await person.home.run("devices")).toMatchObject({ code: 0 });
  return person;
}

async function verify({ home }: Person, ...argv: string[]): Promise<string[]> {
  const run = await home.run("verify", ...argv);
  expect(run).toMatchObject({ code: 0, stderr: "" });
  return run.lines.map((line) => line.trim());
}

describe("verify", () => {
  it("prints the same 60 digits for both users after their log-in, and how to confirm them", async () => {
    await using yoda = await Person.at(server, "yoda");
    await using luke = await Person.at(server, "luke");
    const here = await verify(luke, "yoda");
    const there = await verify(yoda, "luke");
    expect(here.slice(1, 4)).toEqual(there.slice(1, 4));
    for (const row of here.slice(1, 4)) expect(row).toMatch(/^\d{5}( {2}\d{5}){3}$/);
    expect([here[0], there[0]]).toEqual(["Your code with yoda:", "Your code with luke:"]);
    expect(here.slice(4)).toEqual([
      "This device did not know a key of yoda before.",
      "Compare the code with the one that yoda sees, in person or in a call. If they are equal: parley verify yoda --confirm",
    ]);
  });

  it("stores the confirmation of --confirm", async () => {
    await using _yoda = await withKeys("yoda");
    await using luke = await withKeys("luke");
    // A code that was not printed before is not confirmed.
    expect(await luke.home.run("verify", "yoda", "--confirm")).toMatchObject({ code: 1 });
    const confirmed = await verify(luke, "yoda", "--confirm");
    expect(confirmed.at(-1)).toBe("The key of yoda is verified.");
    expect(confirmed.join(" ")).not.toMatch(/not verified|did not know|If they are equal/);
    expect(await verify(luke, "yoda")).toContain("This key of yoda is verified.");
  });

  it("prints another code and a warning for a changed key; --accept accepts it", async () => {
    await using yoda = await withKeys("yoda");
    await using luke = await withKeys("luke");
    await verify(luke, "yoda");
    const before = await verify(luke, "yoda", "--confirm");
    expect(await yoda.home.run("devices", "new-identity", "--yes")).toMatchObject({ code: 0 });
    const after = await verify(luke, "yoda");
    expect(after.slice(1, 4)).not.toEqual(before.slice(1, 4));
    expect(after[4]).toContain("WARNING: this is not the key of yoda that this device has known since ");
    expect(await verify(luke, "yoda", "--accept")).toEqual(["The key of yoda is accepted but not verified."]);
    expect((await verify(luke, "yoda"))[4]).toContain("It is not verified.");
  });

  it("refuses users that cannot be verified, with a message", async () => {
    await using luke = await withKeys("luke");
    const refused = async (...argv: string[]): Promise<string> => {
      const run = await luke.home.run("verify", ...argv);
      expect(run).toMatchObject({ code: 1, stdout: "" });
      return run.stderr;
    };
    expect(await refused("luke")).toContain("That is you");
    expect(await refused("nobody")).toContain("(USER_NOT_FOUND)");
    expect(await refused("yoda")).toContain("(IDENTITY_NOT_FOUND)");
    await using _yoda = await withKeys("yoda");
    expect(await refused("yoda", "--accept")).toContain("There is nothing to accept");
    expect(await luke.home.run("verify", "yoda", "--accept", "--confirm")).toMatchObject({ code: 2 });
    expect(await luke.home.run("verify", "yoda", "--json")).toMatchObject({ code: 2 });
  });
});

describe("a verified key that changed", () => {
  it("stops the chat for the caller and for the callee, until it is accepted", async () => {
    await using yoda = await withKeys("yoda");
    await using luke = await withKeys("luke");
    await verify(luke, "yoda");
    await verify(luke, "yoda", "--confirm");
    await yoda.home.run("devices", "new-identity", "--yes");
    const listening = await yoda.listen("--private-answer", "accept");
    const stopped = await luke.home.pipe("the plans\n", "private", "yoda");
    expect(stopped).toMatchObject({ code: 1, stdout: "" });
    expect(stopped.stderr).toContain("STOP: The identity key of yoda is not the one that you verified.");
    expect(stopped.stderr).toContain("To accept the new key without comparing: parley verify yoda --accept");
    listening.child.kill("SIGTERM");
    expect((await listening.ended).stdout).toBe("");

    const open = await luke.listen("--private-answer", "accept");
    expect(await yoda.home.pipe("it is me\n", "private", "luke")).toMatchObject({ code: 1 });
    await open.prints("WARNING: the identity key of yoda has changed");
    await open.prints("yoda asked for a private chat, which was not accepted on this device.");
    await verify(luke, "yoda", "--accept");
    expect(await yoda.home.pipe("it is me\n", "private", "luke")).toMatchObject({ code: 0 });
    await open.prints("yoda: it is me");
  });

  it("stops a command that waits for that user", async () => {
    await using yoda = await withKeys("yoda");
    await using luke = await withKeys("luke");
    await verify(luke, "yoda");
    await verify(luke, "yoda", "--confirm");
    await yoda.home.run("devices", "new-identity", "--yes");
    const waiting = luke.start("private", "yoda", "--wait", "1m");
    const asking = yoda.start("private", "luke", "--wait", "1m");
    const run = await waiting.ended;
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain("STOP: The identity key of yoda is not the one that you verified.");
    asking.child.kill("SIGTERM");
    await asking.ended;
  });
});

it("an unsigned device of a verified contact stops the chat, until it is accepted", async () => {
  await using first = await withKeys("yoda");
  await using luke = await withKeys("luke");
  await verify(luke, "yoda");
  await verify(luke, "yoda", "--confirm");
  await using phone = await withKeys("yoda");
  const unsigned = await phone.listen("--private-answer", "accept");
  const stopped = await luke.home.pipe("the plans\n", "private", "yoda");
  expect(stopped).toMatchObject({ code: 1, stdout: "" });
  expect(stopped.stderr).toContain(
    "STOP: The device of yoda is not signed by the identity key that you verified.",
  );
  expect(stopped.stderr).toContain("To accept this device without that: parley verify yoda --accept");
  expect(await verify(luke, "yoda", "--accept")).toEqual([
    "The device of yoda is accepted, although the key of yoda has not signed it.",
  ]);
  expect(await luke.home.run("verify", "yoda", "--accept")).toMatchObject({ code: 1 });
  expect(await luke.home.pipe("the plans\n", "private", "yoda")).toMatchObject({ code: 0 });
  await unsigned.prints("luke: the plans");
  // The key is still verified.
  expect(await verify(luke, "yoda")).toContain("This key of yoda is verified.");
  expect(await first.home.run("devices")).toMatchObject({ code: 0 });
});

it("listen prints how to accept an unsigned device", async () => {
  await using _first = await withKeys("yoda");
  await using luke = await withKeys("luke");
  await verify(luke, "yoda");
  await verify(luke, "yoda", "--confirm");
  await using phone = await withKeys("yoda");
  const listening = await luke.listen("--private-answer", "accept");
  expect(await phone.home.pipe("it is me\n", "private", "luke")).toMatchObject({ code: 1 });
  await listening.prints("or you accept it without that: parley verify yoda --accept");
  expect(await verify(luke, "yoda", "--accept")).toHaveLength(1);
  expect(await phone.home.pipe("it is me\n", "private", "luke")).toMatchObject({ code: 0 });
  await listening.prints("yoda: it is me");
});

/** luke knows yoda from a chat, and yoda's key has changed since. Resolves to yoda's `parley listen`. */
async function withChangedKey(luke: Person, yoda: Person): Promise<Running> {
  const listening = await yoda.listen("--private-answer", "accept");
  expect((await luke.home.pipe("hi\n", "private", "yoda")).stderr).not.toContain("WARNING");
  listening.child.kill("SIGTERM");
  await listening.ended;
  await yoda.home.run("devices", "new-identity", "--yes");
  return yoda.listen("--private-answer", "accept");
}

it("a pipe sends nothing to a known contact whose key has changed, until it is accepted", async () => {
  await using yoda = await withKeys("yoda");
  await using luke = await withKeys("luke");
  const listening = await withChangedKey(luke, yoda);
  const run = await luke.home.pipe("the plans\n", "private", "yoda");
  expect(run).toMatchObject({ code: 1, stdout: "" });
  expect(run.stderr).toContain(
    "STOP: The identity key of yoda is not the one that this device knows. Nothing was sent.",
  );
  expect(run.stderr).toContain("To accept the new key without comparing: parley verify yoda --accept");
  await verify(luke, "yoda", "--accept");
  expect(await luke.home.pipe("hi again\n", "private", "yoda")).toMatchObject({ code: 0 });
  await listening.prints("luke: hi again");
  expect(listening.printed).not.toContain("the plans");
});

it("at a terminal, what was written to a changed key waits until the user accepts the key", async () => {
  await using yoda = await withKeys("yoda");
  await using luke = await withKeys("luke");
  const listening = await withChangedKey(luke, yoda);
  const user = luke.home.startAtTerminal("--plain");
  await user.sees("Logged in as luke");
  user.type("/startprivate yoda --relay\r");
  user.type("/private yoda the plans\r");
  await user.sees("WARNING: the identity key of yoda has changed");
  await user.sees(
    "What you write to yoda waits until you answer. To send it: /verify yoda --accept. To end the chat: /stopprivate yoda",
  );
  user.type("/private yoda and more\r");
  user.type("/verify yoda --accept\r");
  await user.sees("The key of yoda is accepted but not verified.");
  await listening.prints("luke: and more");
  expect(listening.printed).toMatch(/luke: the plans\nluke: and more/);
  user.type("/quit\r");
  expect(await user.exited).toBe(0);
});

it("--only-known and --only-verified refuse other keys, in both directions", async () => {
  await using yoda = await withKeys("yoda");
  await using luke = await withKeys("luke");
  const listening = await yoda.listen("--private-answer", "accept");
  const unknown = await luke.home.pipe("the plans\n", "private", "yoda", "--only-known");
  expect(unknown).toMatchObject({ code: 1, stdout: "" });
  expect(unknown.stderr).toContain(
    "STOP: This device does not know the identity key of yoda. Nothing was sent. Compare the codes: parley verify yoda. " +
      "If they are equal: parley verify yoda --confirm",
  );
  await luke.home.pipe("hi\n", "private", "yoda");
  expect(await luke.home.pipe("hi\n", "private", "yoda", "--only-known")).toMatchObject({ code: 0 });
  const unverified = await luke.home.pipe("the plans\n", "private", "yoda", "--only-verified");
  expect(unverified).toMatchObject({ code: 1 });
  expect(unverified.stderr).toContain("STOP: The identity key of yoda is not verified. Nothing was sent.");
  await verify(luke, "yoda");
  await verify(luke, "yoda", "--confirm");
  expect(await luke.home.pipe("hi\n", "private", "yoda", "--only-verified")).toMatchObject({ code: 0 });
  expect(listening.printed).not.toContain("the plans");
  listening.child.kill("SIGTERM");
  await listening.ended;
  const strict = await yoda.listen("--private-answer", "accept", "--only-verified");
  expect(await luke.home.pipe("hi\n", "private", "yoda")).toMatchObject({ code: 1 });
  await strict.prints("The key of luke is not verified.");
});

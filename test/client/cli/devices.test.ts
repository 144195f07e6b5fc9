// parley devices: the first device has the identity key, and signs another device by a code that the user types.
import { afterEach, beforeEach, expect, it } from "vitest";
import type { TestServer } from "../../support/server.ts";
import { parsed, startServer } from "./parley.ts";
import { Person, type Running } from "./private-people.ts";

let server: TestServer;

beforeEach(async () => {
  server = await startServer({ users: ["yoda", "luke"] });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

const UNSIGNED = "WARNING: this device is not signed by the identity key of yoda";

async function list({ home }: Person): Promise<readonly string[]> {
  const run = await home.run("devices");
  expect(run).toMatchObject({ code: 0, stderr: "" });
  return run.lines;
}

/** The code that a new device shows. */
async function codeOf(linking: Running): Promise<string> {
  await linking.prints("devices sign ");
  await linking.prints("\n");
  return /devices sign (\S+)/.exec(linking.printed)?.[1] ?? "";
}

/** The notices of luke, who has not verified yoda, about a chat with that device. */
async function heardBy(luke: Person, yoda: Person): Promise<string> {
  const listening = await yoda.listen("--private-answer", "accept");
  const run = await luke.home.pipe("hi\n", "private", "yoda");
  expect(run).toMatchObject({ code: 0 });
  listening.child.kill("SIGTERM");
  await listening.ended;
  return run.stderr;
}

it("lists the devices, with marks for this device, the identity key and missing signatures", async () => {
  await using first = await Person.at(server, "yoda");
  expect(await list(first)).toEqual([
    expect.stringMatching(/^\S+ {2}\S.* {2}this device, has the identity key$/),
  ]);
  await using second = await Person.at(server, "yoda");
  const lines = await list(second);
  expect(lines).toHaveLength(2);
  expect(lines.filter((line) => line.endsWith("  this device, not signed"))).toHaveLength(1);
  expect(lines.filter((line) => line.includes("has the identity key"))).toEqual([]);
  const json = (await second.home.run("devices", "--json")).lines.map(parsed);
  expect(json).toEqual([
    expect.objectContaining({ deviceId: expect.any(String) as string }),
    expect.objectContaining({ deviceId: expect.any(String) as string }),
  ]);
});

it("warns of a second device until the first device has signed it", async () => {
  await using first = await Person.at(server, "yoda");
  await list(first);
  await using second = await Person.at(server, "yoda");
  await using luke = await Person.at(server, "luke");
  expect(await heardBy(luke, second)).toContain(UNSIGNED);

  const linking = second.start("devices", "link", "--yes");
  const code = await codeOf(linking);
  expect(code).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  const signed = await first.home.run("devices", "sign", code.toLowerCase().replaceAll("-", ""));
  expect(signed).toMatchObject({ code: 0, stderr: "" });
  expect(signed.stdout).toContain("is signed. Other users see it without a warning.");
  const run = await linking.ended;
  expect(run).toMatchObject({ code: 0 });
  expect(run.lines.at(-1)).toBe("This device is signed. Other users see it without a warning.");

  expect(await heardBy(luke, second)).not.toContain("WARNING");
  expect((await second.home.run("devices", "link")).stdout).toBe("This device is signed already.\n");
});

it("does not link a device on the word of the server: the user or --yes confirms it", async () => {
  await using first = await Person.at(server, "yoda");
  await list(first);
  await using second = await Person.at(server, "yoda");
  await using luke = await Person.at(server, "luke");
  await list(luke);
  const linking = second.start("devices", "link");
  await first.home.run("devices", "sign", await codeOf(linking));
  const run = await linking.ended;
  expect(run).toMatchObject({ code: 1 });
  expect(run.stderr).toContain(
    "The server says that this device is signed. If your first device said so too",
  );
  expect((await second.home.run("verify", "luke")).stdout).toContain(
    "This device is not linked to your first device",
  );
  expect(await second.home.run("devices", "link", "--yes")).toMatchObject({ code: 0 });
  expect((await second.home.run("verify", "luke")).stdout).not.toContain("not linked");
});

it.each([
  ["yes", 0, "This device is signed. Other users see it without a warning."],
  ["no", 1, "This device is not linked, because another device signed it."],
])(
  "at a terminal, link asks the user whether the first device signed: %s",
  async (answer, exitCode, words) => {
    await using first = await Person.at(server, "yoda");
    await list(first);
    await using second = await Person.at(server, "yoda");
    const user = second.home.startAtTerminal("devices", "link");
    await expect.poll(() => user.shown).toMatch(/devices sign \S+\s/);
    await first.home.run("devices", "sign", /devices sign (\S+)/.exec(user.shown)?.[1] ?? "");
    await user.answers("did it say that this one is signed? (yes/no)", `${answer}\r`);
    expect(await user.exited).toBe(exitCode);
    expect(user.shown).toContain(words);
  },
);

it("refuses a wrong code, an invalid code, and a device without the identity key", async () => {
  await using first = await Person.at(server, "yoda");
  await list(first);
  await using second = await Person.at(server, "yoda");
  const code = await codeOf(second.start("devices", "link"));
  const wrong = code.startsWith("0") ? `1${code.slice(1)}` : `0${code.slice(1)}`;
  const other = await first.home.run("devices", "sign", wrong);
  expect(other).toMatchObject({ code: 1, stdout: "" });
  expect(other.stderr).toContain("None of your devices shows that code.");
  const none = await first.home.run("devices", "sign", "1234");
  expect(none).toMatchObject({ code: 2, stdout: "" });
  expect(none.stderr).toContain("is not a code");
  const holder = await second.home.run("devices", "sign", code);
  expect(holder).toMatchObject({ code: 1, stdout: "" });
  expect(holder.stderr).toContain("The identity key is not on this device");
});

it("SIGINT ends the wait for the signature", async () => {
  await using first = await Person.at(server, "yoda");
  await list(first);
  await using second = await Person.at(server, "yoda");
  const linking = second.start("devices", "link");
  await codeOf(linking);
  linking.child.kill("SIGINT");
  expect(await linking.ended).toMatchObject({ code: 130 });
});

it("new-identity requires --yes in a script, and makes a new key on this device", async () => {
  await using first = await Person.at(server, "yoda");
  await list(first);
  await using second = await Person.at(server, "yoda");
  const asked = await second.home.run("devices", "new-identity");
  expect(asked).toMatchObject({ code: 2, stdout: "" });
  expect(asked.stderr).toContain("Add --yes");
  const run = await second.home.run("devices", "new-identity", "--yes");
  expect(run).toMatchObject({ code: 0, stdout: "You have a new identity key, on this device.\n" });
  expect(await list(second)).toContainEqual(expect.stringMatching(/this device, has the identity key$/));
  expect(await list(first)).toContainEqual(expect.stringMatching(/this device, not signed$/));
});

it.each([[["sign"]], [["link", "K7QF-9M2X-4TRD"]], [["unlink"]]])(
  "%j is refused as a command line",
  async (argv) => {
    await using yoda = await Person.at(server, "yoda");
    expect(await yoda.home.run("devices", ...argv)).toMatchObject({ code: 2, stdout: "" });
  },
);

it("prints with --json the certificate of the device that was signed or has the new key", async () => {
  await using first = await Person.at(server, "yoda");
  await using second = await Person.at(server, "yoda");
  const linking = second.start("devices", "link", "--yes", "--json");
  const signed = await first.home.run("devices", "sign", await codeOf(linking), "--json");
  expect(signed).toMatchObject({ code: 0, stderr: "" });
  const { stdout, code } = await linking.ended;
  expect(code).toBe(0);
  expect(parsed(stdout)).toEqual(parsed(signed.stdout));
  const renewed = await second.home.run("devices", "new-identity", "--yes", "--json");
  expect(parsed(renewed.stdout)).toMatchObject({ deviceId: parsed(signed.stdout).deviceId });
});

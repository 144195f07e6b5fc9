// parley private: two pipes exchange lines, and the exit code says whether all lines arrived.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RelayHalf } from "../../../server/private/relay-half.ts";
import type { TestServer } from "../../support/server.ts";
import { parsed, startServer } from "./parley.ts";
import { Person } from "./private-people.ts";

let server: TestServer;

beforeEach(async () => {
  server = await startServer({ users: ["yoda", "luke", "leia", "vader"] });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

describe("two pipes", () => {
  it("exchange lines if each names the other, whichever starts first, until both inputs have ended", async () => {
    await using yoda = await Person.at(server, "yoda");
    await using luke = await Person.at(server, "luke");
    const first = yoda.start("private", "luke", "--wait", "1m");
    first.say("said before luke was there");
    const second = luke.start("private", "yoda", "--wait", "1m");
    await second.prints("said before luke was there");
    second.say("hi", "", "  two  spaces ");
    await first.prints("  two  spaces ");
    second.child.stdin.end("last, without a line feed");
    await first.prints("last, without a line feed");
    first.say("and an answer to that");
    first.child.stdin.end();
    expect(await second.ended).toMatchObject({
      code: 0,
      stdout: "said before luke was there\nand an answer to that\n",
    });
    const run = await first.ended;
    expect(run).toMatchObject({ code: 0, stdout: "hi\n \n  two  spaces \nlast, without a line feed\n" });
    expect(run.stderr).toContain("Private chat with luke: through the server, which cannot read it.\n");
    expect(run.stderr).toMatch(
      /^This is the first private chat with luke on this device\. To make sure that it is luke: parley verify luke$/m,
    );
    expect(run.stderr).toContain("luke has finished. The private chat has ended.");
  });

  it("deliver all lines of short inputs", async () => {
    await using yoda = await Person.at(server, "yoda");
    await using luke = await Person.at(server, "luke");
    const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`);
    const [short, long] = await Promise.all([
      yoda.home.pipe("hi\n", "private", "luke", "--wait", "1m"),
      luke.home.pipe(`${lines.join("\n")}\n`, "private", "yoda", "--wait", "1m"),
    ]);
    expect(short).toMatchObject({ code: 0, stdout: `${lines.join("\n")}\n` });
    expect(long).toMatchObject({ code: 0, stdout: "hi\n" });
  });

  it("use the direct path if both ask for it", async () => {
    await using yoda = await Person.at(server, "yoda");
    await using luke = await Person.at(server, "luke");
    const direct = ["--private-path", "direct", "--wait", "1m"];
    const first = yoda.start("private", "luke", ...direct);
    const second = luke.start("private", "yoda", ...direct);
    for (const end of [first, second]) await end.prints("directly from device to device");
    first.child.stdin.end("hi\n");
    second.child.stdin.end();
    await second.prints("hi");
    expect([(await first.ended).code, (await second.ended).code]).toEqual([0, 0]);
  });

  it("deliver a long text completely and in order", async () => {
    await using yoda = await Person.at(server, "yoda");
    await using luke = await Person.at(server, "luke");
    const lines = Array.from({ length: 500 }, (_, index) => `line ${index}`);
    const reading = yoda.start("private", "luke", "--wait", "1m");
    reading.child.stdin.end();
    const run = await luke.home.pipe(`${lines.join("\n")}\n`, "private", "yoda", "--wait", "1m");
    expect(run).toMatchObject({ code: 0, stdout: "" });
    expect((await reading.ended).lines).toEqual(lines);
  });
});

it("--json prints the peer's lines unchanged as messages of the contract", async () => {
  await using yoda = await Person.at(server, "yoda");
  await using luke = await Person.at(server, "luke");
  const reading = yoda.start("private", "luke", "--json", "--wait", "1m");
  reading.child.stdin.end();
  await luke.home.pipe("one \u{1b}[31m\ntwo\n", "private", "yoda", "--wait", "1m");
  expect((await reading.ended).lines.map(parsed)).toEqual([
    { number: "1", time: expect.any(String) as string, text: "one \u{1b}[31m" },
    { number: "2", time: expect.any(String) as string, text: "two" },
  ]);
});

it("reports a line that is not UTF-8 or too long, continues, and ends with 1", async () => {
  await using yoda = await Person.at(server, "yoda");
  await using luke = await Person.at(server, "luke");
  const reading = yoda.start("private", "luke", "--wait", "1m");
  reading.child.stdin.end();
  const input = Buffer.concat([
    Buffer.from("one\n"),
    Buffer.from([0xff, 0x0a]),
    Buffer.from(`${"x".repeat(33 * 1024)}\ntwo\n`),
  ]);
  const run = await luke.home.pipe(input, "private", "yoda", "--wait", "1m");
  expect(run.code).toBe(1);
  expect(run.stderr).toContain("Not sent: the line is not UTF-8.");
  expect(run.stderr).toContain("too long");
  expect((await reading.ended).lines).toEqual(["one", "two"]);
});

it.each(["SIGINT", "SIGTERM"] as const)("%s ends it with 0, and the peer is notified", async (signal) => {
  await using yoda = await Person.at(server, "yoda");
  await using luke = await Person.at(server, "luke");
  const first = yoda.start("private", "luke", "--wait", "1m");
  const second = luke.start("private", "yoda", "--wait", "1m");
  for (const end of [first, second]) await end.prints("Private chat with");
  first.child.kill(signal);
  expect(await first.ended).toMatchObject({ code: 0 });
  const run = await second.ended;
  expect(run.code).toBe(0);
  expect(run.stderr).toContain("yoda has ended the private chat.");
});

it("reports that it waits, and ends with 1 if it is stopped before the peer has answered", async () => {
  await using yoda = await Person.at(server, "yoda");
  await using luke = await Person.at(server, "luke");
  const deaf = yoda.start("--plain");
  await deaf.prints("Logged in as yoda.");
  const saying = luke.start("private", "yoda", "--wait", "1m");
  saying.say("is anybody there?");
  await saying.prints("yoda has 60 s to answer the request for a private chat.");
  saying.child.kill("SIGINT");
  const run = await saying.ended;
  expect(run.code).toBe(1);
  expect(run.stderr).toContain("Nothing was sent: the private chat with yoda was not open yet.");
  deaf.child.stdin.end();
  await deaf.ended;
});

it("reports once that lines were not sent when the peer leaves, and why the chat ended", async () => {
  await using yoda = await Person.at(server, "yoda");
  await using luke = await Person.at(server, "luke");
  const reading = yoda.start("private", "luke", "--wait", "1m");
  const saying = luke.start("private", "yoda", "--wait", "1m");
  for (const end of [reading, saying]) await end.prints("Private chat with");
  const more = `${Array.from({ length: 5_000 }, (_, index) => `line ${index}`).join("\n")}\n`;
  saying.child.stdin.write(more);
  await reading.prints("line 9\n");
  reading.child.kill("SIGTERM");
  saying.child.stdin.write(more);
  const run = await saying.ended;
  expect(run.code).toBe(1);
  expect(run.stderr.split("Not sent:").length).toBeLessThanOrEqual(2);
  expect(run.stderr).toContain("yoda has ended the private chat.");
});

it("works repeatedly while another program of the same login runs", async () => {
  await using yoda = await Person.at(server, "yoda");
  await using luke = await Person.at(server, "luke");
  const listening = await yoda.listen("--private-answer", "accept");
  const other = luke.start("tail");
  await listening.prints("Listening");
  for (const text of ["one", "two", "three"]) {
    expect(await luke.home.pipe(`${text}\n`, "private", "yoda")).toMatchObject({ code: 0 });
    await listening.prints(`luke: ${text}`);
  }
  other.child.kill("SIGTERM");
  await other.ended;
});

describe("is refused with a message, and sends nothing", () => {
  it("for an unknown user, yourself, a user who is offline, and one who has blocked you", async () => {
    await using luke = await Person.at(server, "luke");
    await using vader = await Person.at(server, "vader");
    await vader.home.run("block", "luke");
    await vader.listen("--private-answer", "accept");
    const refused = async (...argv: string[]): Promise<string> => {
      const run = await luke.home.pipe("hello\n", "private", ...argv);
      expect(run).toMatchObject({ code: 1, stdout: "" });
      return run.stderr.trim();
    };
    expect(await refused("nobody")).toContain("No private chat with nobody: There is no user of that name");
    expect(await refused("luke")).toContain("That is you.");
    expect(await refused("leia")).toContain("leia is not online.");
    expect(await refused("leia", "--wait", "1s")).toContain("leia is not online.");
    expect(await refused("vader")).toContain("vader has blocked you.");
    await vader.home.run("unblock", "luke");
  });

  it("for a user who refuses", async () => {
    await using yoda = await Person.at(server, "yoda");
    await using luke = await Person.at(server, "luke");
    const listening = await yoda.listen("--private-answer", "refuse");
    const run = await luke.home.pipe("hello\n", "private", "yoda");
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain("yoda does not want a private chat now.");
    expect(listening.child.exitCode).toBeNull();
  });

  it("with exit code 4 without a login, and 2 for a wrong command line", async () => {
    await using luke = await Person.at(server, "luke");
    expect(await luke.home.run("private", "yoda", "--private-path", "fast")).toMatchObject({ code: 2 });
    expect(await luke.home.run("private", "yoda", "--peer-port", "70000")).toMatchObject({ code: 2 });
    expect(await luke.home.run("private")).toMatchObject({ code: 2 });
    await luke.home.run("logout");
    expect(await luke.home.run("private", "yoda")).toMatchObject({ code: 4, stdout: "" });
  });
});

it("a relay that changes bytes is reported to both users at once", { timeout: 10_000 }, async () => {
  await using yoda = await Person.at(server, "yoda");
  await using luke = await Person.at(server, "luke");
  const listening = await yoda.listen("--private-answer", "accept");
  const asking = luke.start("private", "yoda");
  asking.say("true words");
  await listening.prints("luke: true words");
  const { accept } = RelayHalf.prototype;
  const tampering = vi.spyOn(RelayHalf.prototype, "accept").mockImplementationOnce(function (
    this: RelayHalf,
    data,
  ) {
    const copy = Buffer.from(data);
    copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
    return accept.call(this, copy);
  });
  asking.say("changed words");
  const warning = (name: string): string =>
    `WARNING: data between you and ${name} was changed on the way, so the private chat was ended.`;
  await Promise.all([asking.prints(warning("yoda")), listening.prints(warning("luke"))]);
  const run = await asking.ended;
  expect(run.code).toBe(1);
  // The changed piece may also be the one with the marks of the first line.
  expect(run.stderr).toMatch(/[12] of your lines are not known to have arrived\./);
  tampering.mockRestore();
});

// The chat in plain lines as scripts use it, over pipes and a real server.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { passwordOf, type TestServer } from "../../support/server.ts";
import { finished, Home, Lines, startServer } from "../cli/parley.ts";

let server: TestServer;
const homes: Home[] = [];

beforeAll(async () => {
  server = await startServer({ users: ["yoda", "luke", "leia", "hans"] });
});

afterEach(async () => {
  for (const home of homes.splice(0)) await home[Symbol.asyncDispose]();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function home(): Promise<Home> {
  const made = await Home.make();
  homes.push(made);
  return made;
}

function at(): string[] {
  return ["--server", `127.0.0.1:${server.port}`];
}

const PROMPTS = "Username: Password: ";

describe("a script", () => {
  it("signs in and sends over one pipe without losing input, and is logged out at its end", async () => {
    const luke = await home();
    const texts = Array.from({ length: 50 }, (_, index) => `message yoda line  ${index}`);
    const run = await luke.pipe(["\ufeffluke", passwordOf("luke"), ...texts, ""].join("\n"), ...at());
    expect(run.stdout).toBe(`${PROMPTS}Logged in as luke.\n`);
    expect(run.code).toBe(0);
    const yoda = await (await home()).pipe(`yoda\r\n${passwordOf("yoda")}\r\nquit`, ...at());
    const arrived = yoda.lines.filter((line) => line.startsWith("luke: "));
    expect(arrived).toEqual(Array.from({ length: 50 }, (_, index) => `luke: line  ${index}`));
    expect(await luke.run("whoami")).toMatchObject({ code: 4 });
  });

  it("gets one answer to each line, in order, and errors that begin with Error", async () => {
    const luke = await home();
    const input = [
      "luke",
      passwordOf("luke"),
      "foo",
      "message nobody one",
      "opn yoda",
      "message luke two",
      "open nobody",
      "open leia",
      "hello \u{1F600}",
      "//slash",
      "/nope",
      "/history 2",
    ];
    const run = await luke.pipe(input.join("\n"), ...at());
    expect(run.lines.slice(1)).toEqual([
      "Error: Unknown command foo. Nothing was sent, because no conversation is open: /open USER opens one.",
      expect.stringMatching(/^Error: Not sent to nobody: .*“one”$/),
      "Error: Unknown command opn. Did you mean /open?",
      expect.stringMatching(/^Error: Not sent to luke: .*“two”$/),
      expect.stringMatching(/^Error: .*user/),
      expect.stringMatching(/^Error: Unknown command \/nope\./),
      "luke: hello \u{1F600}",
      "luke: /slash",
    ]);
    expect(run.code).toBe(0);
  });

  it.each(["vader", "nobody"])(
    "is asked as %s for the password again, and ends after three wrong ones",
    async (name) => {
      const run = await (await home()).pipe(`${name}\nwrong\nwrong\nwrong\nmessage luke hi\n`, ...at());
      const wrong = "Error: User name or password is wrong.\n";
      const locked = "Error: Too many wrong passwords: log-ins are locked for a while. Try again in 60 s.\n";
      expect(run.stdout).toBe(`${PROMPTS}${wrong}Password: ${wrong}Password: ${locked}`);
      expect(run).toMatchObject({ code: 1, stderr: expect.not.stringContaining("wrong") });
    },
  );

  it("uses a stored login without asking, and stays logged in with quit", async () => {
    const luke = await home();
    await luke.logIn("luke", server);
    const run = await luke.pipe("message yoda hi\nquit\nmessage yoda never\n");
    expect(run).toMatchObject({ code: 0, stdout: "Logged in as luke.\n" });
    expect(await luke.run("whoami")).toMatchObject({ code: 0 });
  });

  it.each([
    ["without a line", ""],
    ["after a command", "whoelse\n"],
  ])("stays logged in at the end of the input, %s", async (_name, input) => {
    const luke = await home();
    await luke.logIn("luke", server);
    expect(await luke.pipe(input)).toMatchObject({ code: 0, stdout: "Logged in as luke.\n" });
    expect(await luke.run("whoami")).toMatchObject({ code: 0 });
  });

  it("logs out at the end of the input if it logged in itself", async () => {
    const luke = await home();
    const run = await luke.pipe(`luke\n${passwordOf("luke")}\nwhoelse\n`, ...at());
    expect(run).toMatchObject({ code: 0 });
    expect(await luke.run("whoami")).toMatchObject({ code: 4 });
  });

  it("reads nothing if the server cannot be reached, and ends with exit code 3", async () => {
    const luke = await home();
    await luke.logIn("luke", server);
    await server.stop();
    try {
      const run = await luke.pipe("message yoda hi\n");
      expect(run).toMatchObject({ code: 3, stdout: "" });
      expect(run.stderr).toContain("Cannot connect");
    } finally {
      await server.start();
    }
  });

  it("ends with exit code 4 if the input ends before the sign-in", async () => {
    const run = await (await home()).pipe("yoda\n", ...at());
    expect(run).toMatchObject({ code: 4, stdout: PROMPTS });
  });

  it("gets an error for a line that is not UTF-8, and continues", async () => {
    const luke = await home();
    await luke.logIn("luke", server);
    const bytes = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("\nfoo\n")]);
    expect((await luke.pipe(bytes)).lines).toEqual([
      "Logged in as luke.",
      "Error: That line is not valid UTF-8 and was ignored.",
      "Error: Unknown command foo. Nothing was sent, because no conversation is open: /open USER opens one.",
    ]);
  });
});

describe("a plain chat with a stored login", () => {
  it("reports in one line that the user is logged in elsewhere if the server allows one session", async () => {
    await using strict = await startServer({ users: ["yoda"], sessionsPerUser: 1 });
    const place = await home();
    await place.logIn("yoda", strict);
    const elsewhere = (await home()).start("127.0.0.1", String(strict.port));
    elsewhere.stdin.write(`yoda\n${passwordOf("yoda")}\n`);
    await new Lines(elsewhere).next();
    const run = await place.pipe("whoelse\n");
    expect(run).toMatchObject({
      code: 1,
      stdout: "Error: You are logged in already. Log out of the other session first.\n",
      stderr: "",
    });
  });
});

describe("two plain chats", () => {
  it("print each other's log-in, messages and log-out, one line each", async () => {
    const yoda = (await home()).start(...at());
    yoda.stdin.write(`yoda\n${passwordOf("yoda")}\n`);
    const lines = new Lines(yoda);
    expect(await lines.next()).toBe(`${PROMPTS}Logged in as yoda.`);
    const leia = (await home()).start(...at());
    leia.stdin.write(`leia\n${passwordOf("leia")}\n`);
    const seen: string[] = [];
    while (seen.at(-1) !== "leia logged in") seen.push(await lines.next());
    leia.stdin.write("broadcast hello all\nmessage yoda \x1b[31mred\n");
    leia.stdin.end();
    const end = finished(leia);
    expect([await lines.next(), await lines.next(), await lines.next()]).toEqual([
      "leia: hello all",
      "leia: ␛[31mred",
      "leia logged out",
    ]);
    expect(await end).toMatchObject({ code: 0 });
    yoda.stdin.end();
    await yoda.exited;
    expect(yoda.exitCode).toBe(0);
  });

  it("end in order at a signal, and stay logged in", async () => {
    const luke = await home();
    await luke.logIn("luke", server);
    const chat = luke.start("--plain");
    const lines = new Lines(chat);
    expect(await lines.next()).toBe("Logged in as luke.");
    chat.kill("SIGTERM");
    await chat.exited;
    expect(chat.exitCode).toBe(0);
    expect(await luke.run("whoami")).toMatchObject({ code: 0 });
  });
});

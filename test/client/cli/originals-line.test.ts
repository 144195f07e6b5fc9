// The command line of the original's client, HOST PORT: it always asks, has the original's commands, and logs out at the end.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ManualClock } from "../../support/manual-clock.ts";
import { passwordOf, type TestServer } from "../../support/server.ts";
import { finished, Home, Lines, startServer } from "./parley.ts";
import { Running } from "./private-people.ts";

let server: TestServer;
const homes: Home[] = [];

beforeAll(async () => {
  server = await startServer({ users: ["yoda", "luke", "vader", "hans"] });
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

/** Logs in and runs tail, so that this user is online. */
async function comeOnline(name: string): Promise<Home> {
  const place = await home();
  await place.logIn(name, server);
  const lines = new Lines(place.start("tail", "--json", "--all"));
  while (!(await lines.next()).includes("caughtUp")) {
    // The events before it do not matter.
  }
  return place;
}

const at = (): string[] => ["127.0.0.1", String(server.port)];
const signIn = (name: string): string => `${name}\n${passwordOf(name)}\n`;

describe("parley HOST PORT", () => {
  it("works from a pipe, with an unknown server on this machine", async () => {
    const run = await (await home()).pipe(`${signIn("yoda")}whoelse\nlogout\n`, ...at());
    expect(run).toMatchObject({ code: 0, stdout: "Username: Password: Logged in as yoda.\n" });
    expect(run.stderr).toContain("New server on this machine");
  });

  it("asks for user and password even if a login is stored, and logs out at the end", async () => {
    const place = await home();
    await place.logIn("luke", server);
    const run = await place.pipe(`${signIn("yoda")}message luke hi\nquit\n`, ...at());
    expect(run.stdout).toBe("Username: Password: Logged in as yoda.\n");
    expect(await place.run("whoami", "--as", "yoda")).toMatchObject({ code: 4 });
    expect(await place.run("whoami", "--as", "luke")).toMatchObject({ code: 0 });
  });

  it("keeps the stored login of the same user, and ends its own session", async () => {
    const place = await home();
    await place.logIn("vader", server);
    const before = await place.run("sessions", "--json");
    const run = await place.pipe(`${signIn("vader")}message luke hi\nlogout\n`, ...at());
    expect(run.stdout).toBe("Username: Password: Logged in as vader.\n");
    expect(await place.run("whoami", "--as", "vader")).toMatchObject({ code: 0 });
    const after = await place.run("sessions", "--json");
    const ids = (text: string) =>
      text
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { sessionId: string }).sessionId);
    expect(ids(after.stdout)).toEqual(ids(before.stdout));
  });

  it("logs out on a signal", async () => {
    const place = await home();
    const chat = place.start(...at());
    chat.stdin.write(signIn("hans"));
    await new Lines(chat).next();
    chat.kill("SIGTERM");
    await chat.exited;
    const sessions = await server.store.accounts.liveSessions(0, 100, Date.now());
    const ids = await server.store.accounts.usersById(sessions.map(({ userId }) => userId));
    expect(ids.map(({ username }) => username)).not.toContain("hans");
    expect(await place.run("whoami", "--as", "hans")).toMatchObject({ code: 4 });
  });

  it.each([
    [["127.0.0.1"], "The port is missing"],
    [["127.0.0.1", "port"], '"port" is not a port'],
    [["127.0.0.1", "-5"], '"-5" is not a port'],
    [["127.0.0.1", "123456"], '"123456" is not a port'],
    [["127.0.0.1", "99999"], "not an address"],
    [["localhost", "12000", "60"], "one word too many"],
    [["127.0.0.1", "12000", "--server", "127.0.0.1:1"], "named twice"],
  ])("%j is refused as a command line", async (argv, words) => {
    const run = await (await home()).run(...argv);
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toContain(words);
  });

  /** Logs in with HOST PORT, in plain lines. */
  async function original(name: string, ...flags: string[]): Promise<Running> {
    const running = new Running((await home()).start(...at(), "--plain", ...flags));
    running.say(name, passwordOf(name));
    await running.prints(`Logged in as ${name}.`);
    return running;
  }

  it("talks straight from client to client, and says so at the start", async () => {
    const [yoda, luke] = [await original("yoda"), await original("luke")];
    for (const { printed } of [yoda, luke]) {
      expect(printed).toContain(
        "Private chats are accepted without asking you. To be asked, add --private-answer ask.\n" +
          "Private chats go directly from device to device if the other user agrees and the devices reach each other, " +
          "and then the other user sees your address; otherwise they go through the server, which cannot read them. To " +
          "hide your address, add --private-path relay.\n",
      );
    }
    luke.say("startprivate yoda");
    for (const one of [yoda, luke]) await one.prints("directly from device to device. /private");
    luke.say("private yoda hi");
    await yoda.prints("luke (private): hi");
    yoda.say("private luke hello");
    await luke.prints("yoda (private): hello");
    for (const one of [yoda, luke]) one.say("logout");
    expect(await yoda.ended).toMatchObject({ code: 0 });
    expect(await luke.ended).toMatchObject({ code: 0 });
  });

  it("uses the relay, and says only that, with --private-path relay", async () => {
    const yoda = await original("yoda", "--private-path", "relay");
    expect(yoda.printed).toContain(
      "Private chats are accepted without asking you, through the server, which cannot read it. To be asked, add " +
        "--private-answer ask.\n",
    );
    expect(yoda.printed).not.toContain("directly");
    const luke = await original("luke");
    luke.say("startprivate yoda");
    await luke.prints("through the server, which cannot read it. /private yoda");
    for (const one of [yoda, luke]) one.say("logout");
    await Promise.all([yoda.ended, luke.ended]);
  });

  it("does not show the address of a user who is asked by the original's command line and allows only the relay", async () => {
    const luke = await original("luke");
    const yodas = await home();
    await yodas.logIn("yoda", server);
    const yoda = new Running(yodas.start("listen", "--private-answer", "accept"));
    await yoda.prints("Listening as yoda");
    luke.say("startprivate yoda");
    await luke.prints("through the server, which cannot read it. /private yoda");
    luke.say("logout");
    await luke.ended;
  });

  it("says only that private chats are direct with --private-answer ask", async () => {
    const run = await (await home()).pipe(
      `${signIn("yoda")}help\nquit\n`,
      ...at(),
      "--private-answer",
      "ask",
    );
    // And its help does not say that quitting keeps the login.
    expect(run.lines.find((line) => line.startsWith("/quit"))).toMatch(/leave and log out/);
    expect(run).toMatchObject({ code: 0, stderr: expect.not.stringContaining("accepted") as string });
    expect(run.stderr).toContain("Private chats go directly from device to device if the other user agrees");
  });

  it("stores its state for its user alone", async () => {
    const place = await home();
    await place.pipe(`${signIn("yoda")}quit\n`, ...at());
    const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    expect(await mode(place.folder)).toBe("700");
    expect(await mode(join(place.folder, "state.db"))).toBe("600");
  });
});

describe("the original's commands as one-shot commands", () => {
  it("message, whoelse, whoelsesince, block, blocks, unblock, logins", async () => {
    const place = await home();
    await place.logIn("luke", server);
    await comeOnline("vader");
    expect(await place.run("message", "vader", "hello there")).toMatchObject({ code: 0 });
    expect((await place.run("whoelse")).lines).toEqual(["vader"]);
    expect((await place.run("whoelsesince", "0")).lines).toEqual(["vader"]);
    expect((await place.run("whoelsesince", "99999999999999999999")).lines).toContain("vader");
    expect(await place.run("block", "vader")).toMatchObject({ code: 0, stdout: "Blocked vader as luke.\n" });
    expect((await place.run("blocks")).lines).toEqual(["vader"]);
    expect(JSON.parse((await place.run("blocks", "--json")).stdout)).toMatchObject({
      user: { username: "vader" },
    });
    const again = await place.run("block", "vader");
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toContain("You have blocked that user already. (ALREADY_BLOCKED)");
    expect(await place.run("unblock", "vader")).toMatchObject({ code: 0 });
    expect((await place.run("unblock", "vader")).stderr).toContain("(NOT_BLOCKED)");
    expect((await place.run("block", "luke")).stderr).toContain("You cannot block yourself.");
    expect((await place.run("block", "Vader")).stderr).toContain("(USER_NOT_FOUND)");
    expect((await place.run("logins", "-n", "1")).stdout).toMatch(
      /^[\d-]+ [\d:]+ {2}logged in {2}from 127\.0\.0\.1, /,
    );
    expect((await place.run("logins", "--all")).stderr).toContain("(ADMINISTRATORS_ONLY)");
    await server.store.accounts.setAdministrator("luke", true);
    expect((await place.run("logins", "--all")).stdout).toContain("vader  logged in");
  });

  it.each([
    [["whoelsesince"]],
    [["whoelsesince", "-1"]],
    [["whoelsesince", "1.5"]],
    [["whoelsesince", "soon"]],
    [["whoelsesince", "1", "2"]],
    [["whoelse", "now"]],
    [["block"]],
    [["block", "yoda", "vader"]],
    [["unblock"]],
    [["message", "yoda"]],
  ])("%j is refused as a command line", async (argv) => {
    const place = await home();
    await place.logIn("luke", server);
    const run = await place.run(...argv);
    expect(run).toMatchObject({ code: 2, stdout: "" });
  });

  it("a broadcast that a user online has blocked prints a notice without names", async () => {
    const place = await home();
    await place.logIn("luke", server);
    const hans = await comeOnline("hans");
    expect(await hans.run("block", "luke")).toMatchObject({ code: 0 });
    const run = await place.run("broadcast", "hear", "me");
    expect(run).toMatchObject({
      code: 0,
      stderr: "Some users did not receive it, because they have blocked you.\n",
    });
    expect((await place.run("message", "hans", "hi")).stderr).toContain("That user has blocked you.");
  });
});

/** Resolves when the server has stored that a user is online. */
async function isOnline({ store }: TestServer): Promise<void> {
  await expect
    .poll(async () => {
      const users = await store.presence.list(Date.now(), Date.now(), 0, "", 10);
      return users.filter(({ online }) => online).length;
    })
    .toBe(1);
}

describe("an idle time-out", () => {
  const IDLE_MS = 60_000;

  it("ends the chat with the reason, and tail with exit code 4", async () => {
    const clock = new ManualClock();
    await using strict = await startServer({ users: ["yoda"], idleTimeoutMs: IDLE_MS, clock });
    const place = await home();
    const chat = place.start("127.0.0.1", String(strict.port));
    const chatEnded = finished(chat);
    chat.stdin.write(signIn("yoda"));
    await isOnline(strict);
    clock.advance(IDLE_MS);
    const run = await chatEnded;
    expect(run).toMatchObject({ code: 4 });
    expect(run.lines.at(-1)).toBe("Error: You are logged out: you gave no command for too long.");
    const other = await home();
    await other.logIn("yoda", strict);
    const tailEnded = other.run("tail");
    await isOnline(strict);
    clock.advance(IDLE_MS);
    const tail = await tailEnded;
    expect(tail).toMatchObject({ code: 4, stdout: "" });
    expect(tail.stderr).toContain("You are logged out: you gave no command for too long.");
    expect(await other.run("send", "yoda", "hi")).toMatchObject({ code: 4 });
  });
});

describe("a limit of one session per user", () => {
  it("refuses a second client with the reason, and accepts it after the first has left", async () => {
    await using strict = await startServer({ users: ["yoda"], sessionsPerUser: 1 });
    const place = await home();
    const argv = ["127.0.0.1", String(strict.port)];
    const first = place.start(...argv);
    first.stdin.write(signIn("yoda"));
    await new Lines(first).next();
    const second = await (await home()).pipe(`${signIn("yoda")}whoelse\n`, ...argv);
    expect(second).toMatchObject({
      code: 1,
      stdout: "Username: Password: Error: You are logged in already. Log out of the other session first.\n",
    });
    first.stdin.end("logout\n");
    await first.exited;
    const third = await (await home()).pipe(`${signIn("yoda")}whoelse\n`, ...argv);
    expect(third).toMatchObject({ code: 0 });
  });
});

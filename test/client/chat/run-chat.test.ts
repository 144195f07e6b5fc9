// The chat at a terminal from sign-in to exit code: what it asks, what it logs out, and how it ends.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultAddress } from "../../../client/cli/command/address.ts";
import { ENTER, LEAVE } from "../../../client/cli/terminal/display/terminal-modes.ts";
import { Account } from "../../../client/link/server/account.ts";
import { Endpoint } from "../../../client/link/server/endpoint.ts";
import { State } from "../../../client/state/state.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { passwordOf, type TestServer } from "../../support/server.ts";
import { Home, startServer } from "../cli/parley.ts";
import { Person } from "../cli/private-people.ts";
import type { TerminalUser } from "../cli/terminal-user.ts";
import { answersAt, isLoginStored, loggedInUsers } from "./logins.ts";

let server: TestServer;
let home: Home;

beforeEach(async () => {
  server = await startServer();
  home = await Home.make();
});

afterEach(async () => {
  await home[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** The original's command line. */
function original(at: TestServer = server): TerminalUser {
  return home.startAtTerminal("127.0.0.1", String(at.port));
}

function chat(...argv: string[]): TerminalUser {
  return home.startAtTerminal("--server", `127.0.0.1:${server.port}`, ...argv);
}

/** The last line that the terminal shows. */
function lastLine({ plain }: TerminalUser): string {
  return (
    plain
      .trim()
      .split(/[\r\n]+/)
      .at(-1) ?? ""
  );
}

async function signIn(user: TerminalUser, name: string, keys = ""): Promise<void> {
  await user.sees("Username");
  user.type(`${name}\r${passwordOf(name)}\r${keys}`);
}

/** Ends the session that the program stored, from elsewhere. */
async function endSession(): Promise<void> {
  using state = new State(home.folder, { onProblem: (error) => expect.fail(error.message) });
  const profile = state.profiles.find();
  if (profile?.session === undefined) throw new Error("No login is stored.");
  await using endpoint = new Endpoint(profile);
  await new Account(endpoint, profile.session.token).logOut();
}

describe("the original's command line at a terminal", () => {
  it.each([
    ["Ctrl-D", "\x04"],
    ["quit", "quit\r"],
    ["logout", "logout\r"],
  ])("asks even if a login is stored, and %s logs out", async (_name, keys) => {
    const stored = chat();
    await signIn(stored, "luke", "quit\r");
    expect(await stored.exited).toBe(0);
    const user = original();
    await signIn(user, "yoda");
    await user.sees("Connected to");
    expect(await loggedInUsers(server)).toEqual(["luke", "yoda"]);
    user.type(keys);
    expect(await user.exited).toBe(0);
    expect(await loggedInUsers(server)).toEqual(["luke"]);
    expect(isLoginStored(home.folder)).toBe(false);
  });

  it("logs out when the window is closed", async () => {
    const user = original();
    await signIn(user, "yoda");
    await user.sees("Connected to");
    user.hangUp();
    expect(await user.exited).toBe(0);
    expect(await loggedInUsers(server)).toEqual([]);
    expect(isLoginStored(home.folder)).toBe(false);
  });

  it.each(["luke", "nobody"])(
    "asks %s for the password again, and ends when log-ins are locked",
    async (name) => {
      const user = original();
      await user.sees("Username");
      user.type(`${name}\rwrong\rwrong\rwrong\r`);
      expect(await user.exited).toBe(1);
      expect(user.plain.match(/✔ Username/g)).toHaveLength(1);
      expect(user.plain.match(/password is wrong\. Try again\./g)).toHaveLength(2);
      expect(user.plain.replaceAll(/\s+/g, " ")).toMatch(
        /Error: Too many wrong passwords: log-ins are locked for a while\. Try again in 60 s\. $/,
      );
    },
  );

  it("ends at the server's idle time-out, with the reason and the terminal restored", async () => {
    const clock = new ManualClock();
    await using strict = await startServer({ idleTimeoutMs: 60_000, clock });
    const user = original(strict);
    await signIn(user, "yoda");
    await user.sees("Connected to");
    clock.advance(60_000);
    expect(await user.exited).toBe(4);
    expect(lastLine(user)).toBe("You are logged out: you gave no command for too long.");
    expect(user.shown.lastIndexOf(LEAVE)).toBeGreaterThan(user.shown.lastIndexOf(ENTER));
    expect(isLoginStored(home.folder)).toBe(false);
  });

  it("reports that the user is logged in elsewhere, at the log-in and with a stored login", async () => {
    await using strict = await startServer({ sessionsPerUser: 1 });
    const before = home.startAtTerminal("--server", `127.0.0.1:${strict.port}`);
    await signIn(before, "yoda", "quit\r");
    expect(await before.exited).toBe(0);
    await using elsewhere = await Home.make();
    const first = elsewhere.startAtTerminal("127.0.0.1", String(strict.port));
    await signIn(first, "yoda");
    await first.sees("Connected to");
    const stored = home.startAtTerminal();
    expect(await stored.exited).toBe(1);
    const again = original(strict);
    await signIn(again, "yoda");
    expect(await again.exited).toBe(1);
    const words = /Error: You are logged in already\. Log out of the other session first\.$/;
    expect([lastLine(stored), lastLine(again)]).toEqual([
      expect.stringMatching(words),
      expect.stringMatching(words),
    ]);
    first.type("\x04");
    await first.exited;
  });
});

describe("a user at a terminal", () => {
  it("is asked for what is missing, and lines typed ahead are used", async () => {
    const user = chat();
    await signIn(user, "luke", "open yoda\rsaid before it was there\r/quit\r");
    expect(await user.exited).toBe(0);
    await user.sees("Connected to");
    await user.sees("luke: said before it was there");
    expect(user.plain).not.toContain(passwordOf("luke"));
    const again = home.startAtTerminal();
    await again.sees("parley>");
    again.type("logout\r");
    expect(await again.exited).toBe(0);
    const last = home.startAtTerminal();
    await last.sees("Password of luke");
    last.type("\x03");
    await last.exited;
  });

  it("is asked again for a blank user name, and reads in words what is wrong", async () => {
    const user = chat();
    await user.sees("Username");
    user.type(" \r");
    await user.sees(/✔ Username.*Username/s);
    user.type("luke\rwrong\rwrong\rwrong\r");
    expect(await user.exited).toBe(1);
    expect(user.plain).toContain("✔ Username · luke");
    expect(user.plain).toContain("User name or password is wrong.");
    expect(user.plain).not.toContain("CREDENTIALS_WRONG");
  });

  it("is asked again for a server whose address is invalid or does not answer", async ({ skip }) => {
    skip(await answersAt(defaultAddress), "a server runs at the default address");
    const user = home.startAtTerminal();
    await user.sees("Server (HOST:PORT)");
    user.type(`no address\r127.0.0.1:1\r127.0.0.1:${server.port}\r`);
    await user.sees('"no address" is not an address');
    await user.sees("127.0.0.1:1 ");
    await user.sees("Username");
    expect(user.plain).not.toContain("Nothing was sent");
    user.type("\x03");
    await user.exited;
  });

  it("enters the password again when the stored login is no longer valid", async () => {
    const first = chat();
    await signIn(first, "luke", "/quit\r");
    expect(await first.exited).toBe(0);
    await endSession();
    const second = home.startAtTerminal();
    await second.sees("You are logged out");
    await second.sees("Password of luke");
    second.type(`${passwordOf("luke")}\r`);
    await second.sees("parley>");
    second.type("\x04");
    expect(await second.exited).toBe(0);
  });

  it.each([
    ["/quit", "/quit\r"],
    ["Ctrl-D", "\x04"],
  ])("reads, when leaving by %s, how many private lines were not sent", async (_name, keys) => {
    await using yodas = await Person.at(server, "yoda");
    const yoda = yodas.start("--plain");
    await yoda.prints("Logged in as yoda.");
    const user = chat();
    await signIn(user, "luke", "startprivate yoda --relay\r");
    await yoda.prints("luke asks for a private chat.");
    user.type("private yoda the plans\r");
    await user.sees("the plans  (waiting)");
    user.type(keys);
    expect(await user.exited).toBe(0);
    expect(lastLine(user)).toBe("1 private line to yoda was not sent.");
  });

  it.each([
    ["another program ends the session", () => endSession(), "this session was ended elsewhere"],
    [
      "a signal ends the program",
      (user: TerminalUser) => Promise.resolve(user.signal("SIGTERM")),
      "Not sent:",
    ],
  ])("gets the unsent text back when %s, and the next keys do nothing", async (_name, end, words) => {
    const user = chat();
    await signIn(user, "luke", "open yoda\r");
    await user.sees("yoda> ");
    user.type("half a line\x1b\rand another");
    await user.sees("and another");
    user.shown = "";
    await end(user);
    await user.sees(words);
    await user.sees(/Not sent:\s+half a line\s+and another\s/);
    expect(user.isRaw).toBe(true);
    user.type("rm -r *\r");
    await user.exited;
    expect(user.shown).not.toContain("rm -r");
    expect(user.forShell).toBe("");
    expect(user.isRaw).toBe(false);
  });

  it("reads why the session ended, and the program ends by itself", async () => {
    const user = chat();
    await signIn(user, "luke");
    await user.sees("Connected to");
    await endSession();
    expect(await user.exited).toBe(4);
    expect(user.plain.replaceAll(/\s+/g, " ")).toContain(
      "You are logged out: this session was ended elsewhere",
    );
  });
});

// Questions to a user at a terminal: what is asked, that passwords are not shown, and how the user cancels.
import { afterAll, beforeAll, expect, test } from "vitest";
import { passwordOf, type TestServer } from "../../support/server.ts";
import { Home, startServer } from "./parley.ts";

let server: TestServer;
let elsewhere: string;

beforeAll(async () => {
  server = await startServer();
  elsewhere = `0.0.0.0:${server.port}`;
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

test.each(["luke", "nobody"])(
  "login as %s asks again after a wrong password, until log-ins are locked",
  async (name) => {
    await using home = await Home.make();
    const user = home.startAtTerminal("login", name, "--server", elsewhere, "--accept-new");
    await user.answers(`Password of ${name}`, "not it\r");
    for (let tries = 2; tries <= 3; tries++)
      await user.answers(/password is wrong\. Try again\..*Password of/s, "not it\r");
    expect(await user.exited).toBe(1);
    const locked = "Error: Too many wrong passwords: log-ins are locked for a while. Try again in 60 s.";
    expect(user.shown.trimEnd().endsWith(locked)).toBe(true);
  },
);

test("the rule for a new password is shown, and one that differs or is refused is asked for again", async () => {
  await using home = await Home.make();
  const place = ["--server", elsewhere, "--accept-new"];
  const rey = home.startAtTerminal("signup", "rey", ...place);
  await rey.sees(/A password has at least 8 characters\..*New password/s);
  await rey.answers("New password", "a pässwörd 漢字 🎉\r");
  await rey.answers("The same again", "a pässwörd 漢字\r");
  await rey.answers(/The two passwords differ\. Try again\..*New password/s, "short\r");
  await rey.answers("The same again", "short\r");
  await rey.answers(/has at least 8 characters\. Try again\..*New password/s, "a pässwörd 漢字 🎉\r");
  await rey.answers("The same again", "a pässwörd 漢字 🎉\r");
  expect(await rey.exited).toBe(0);
  const login = await home.pipe("a pässwörd 漢字 🎉\n", "login", "rey", "--password-stdin");
  expect(login).toMatchObject({ code: 0 });
  const passwd = home.startAtTerminal("passwd");
  await passwd.answers("Old password", "a pässwörd 漢字 🎉\r");
  await passwd.answers("New password", "short\r");
  await passwd.answers("The same again", "short\r");
  await passwd.answers(/Try again\..*New password/s, "another long one\r");
  await passwd.answers("The same again", "another long one\r");
  expect(await passwd.exited).toBe(0);
});

test("a user name that is refused at sign-up is asked for again, and the password is kept", async () => {
  await using home = await Home.make();
  const finn = home.startAtTerminal("signup", "--server", elsewhere, "--accept-new");
  await finn.answers("Username", "luke\r");
  await finn.answers("New password", "a long password\r");
  await finn.answers("The same again", "a long password\r");
  await finn.answers(/Try again\..*Username/s, "finn\r");
  expect(await finn.exited).toBe(0);
  expect(finn.plain).toContain("Welcome, finn:");
});

test.each([
  ["Ctrl-C", "\x03"],
  ["Ctrl-D", "\x04"],
])("%s cancels with exit code 130, and shows no message", async (_name, key) => {
  await using home = await Home.make();
  const user = home.startAtTerminal("login", "--server", elsewhere, "--accept-new");
  await user.answers("Username", key);
  expect(await user.exited).toBe(130);
  expect(user.shown).not.toMatch(/Error|Warning/);
  expect(await home.run("whoami")).toMatchObject({ code: 4 });
});

test.each([
  ["NO_COLOR", { NO_COLOR: "1" }],
  ["TERM=dumb", { TERM: "dumb" }],
])(
  "with %s the questions have no escape sequences, and the password is not shown",
  async (_name, variables) => {
    await using home = await Home.make(variables);
    const place = ["--server", elsewhere, "--accept-new"];
    const wrong = home.startAtTerminal("login", ...place);
    await wrong.sees("Username: ");
    wrong.type("yodx\x7fe\x15yoda\nnot it\r");
    await wrong.sees(/password is wrong.*Password of yoda: $/s);
    wrong.type("\x03");
    expect(await wrong.exited).toBe(130);
    const user = home.startAtTerminal("login", "yoda", ...place);
    await user.answers("Password of yoda: ", `x\x15y\x7f${passwordOf("yoda")}\r`);
    expect(await user.exited).toBe(0);
    expect(wrong.shown + user.shown).not.toMatch(/\x1b/);
    expect(user.shown).not.toContain(passwordOf("yoda"));
    const chat = home.startAtTerminal("127.0.0.1", String(server.port));
    await chat.sees("Username: ");
    chat.type(`yoda\r${passwordOf("yoda")}\r/quit\r`);
    expect(await chat.exited).toBe(0);
    // Bold and dim are no colours. A dumb terminal gets no escape sequence at all.
    expect(chat.shown).not.toMatch("TERM" in variables ? /\x1b/ : /\x1b\[[\d;]*3\d/);
  },
);

test.each([
  ["in colour", {}],
  ["without colour", { NO_COLOR: "1" }],
])("SIGTERM during a question %s restores the terminal", async (_name, variables) => {
  await using home = await Home.make(variables);
  const login = home.startAtTerminal("login", "yoda", "--server", elsewhere, "--accept-new");
  await login.sees("Password of yoda");
  expect(login.isRaw).toBe(true);
  login.signal("SIGTERM");
  expect(await login.exited).toBe(130);
  expect(login.isRaw).toBe(false);
});

test("SIGTERM during the password of a plain chat restores the terminal", async () => {
  await using home = await Home.make();
  const chat = home.startAtTerminal("--plain", "--as", "yoda", "--server", `127.0.0.1:${server.port}`);
  await chat.sees("Password: ");
  expect(chat.isRaw).toBe(true);
  chat.signal("SIGTERM");
  expect(await chat.exited).toBe(130);
  expect(chat.isRaw).toBe(false);
});

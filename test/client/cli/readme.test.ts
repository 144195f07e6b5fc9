// The commands of README.md, pasted in order: two chats, then the one-shot commands.
import { afterEach, beforeEach, expect, it } from "vitest";
import { readPage, sectionOf } from "../../repo/markdown.ts";
import { passwordOf, type TestServer } from "../../support/server.ts";
import { finished, Home, startServer } from "./parley.ts";

let server: TestServer;
let home: Home;

beforeEach(async () => {
  server = await startServer({ users: ["hans", "yoda"] });
  home = await Home.make();
});

afterEach(async () => {
  await home[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** The arguments of the commands in the section's blocks, one list for each block, at the address of the test's server. */
function pasted(heading: string): string[][][] {
  const blocks = sectionOf(readPage("README.md"), heading).matchAll(/^```sh\n(.*?)^```$/gms);
  return [...blocks].map(([, block = ""]) =>
    block
      .trim()
      .replaceAll("127.0.0.1:12000", `127.0.0.1:${server.port}`)
      .split("\n")
      .map((command) =>
        [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? ""),
      )
      .filter(([npx, program]) => npx === "npx" && program === "parley")
      .map((words) => words.slice(2)),
  );
}

it.each([
  ["hans first", ["hans", "yoda"]],
  ["yoda first", ["yoda", "hans"]],
])("the examples work in order, with the chat of %s", async (_name, order) => {
  const [, chats = [], commands = []] = pasted("## Run it");
  expect(chats.map((argv) => argv.at(-1))).toEqual(["hans", "yoda"]);
  expect(commands.map(([name]) => name)).toEqual(["send", "history", "ask"]);
  const windows = new Map(
    order.map((user) => [user, chats.find((argv) => argv.at(-1) === user) ?? []] as const),
  );
  const terminals = [];
  for (const [user, argv] of windows) {
    const terminal = home.startAtTerminal(...argv);
    await terminal.answers("Password", `${passwordOf(user)}\r`);
    await terminal.sees("Connected to");
    terminals.push({ user, terminal });
  }
  const [send = [], history = [], ask = []] = commands;
  expect(await home.run(...send)).toMatchObject({
    code: 0,
    stdout: "Sent as hans to yoda: number 1.\n",
    stderr: "",
  });
  expect((await home.run(...history)).stdout).toMatch(/hans: see you at nine\n$/);
  const asking = finished(home.start(...ask));
  const yoda = terminals.find(({ user }) => user === "yoda")?.terminal;
  await yoda?.sees("shall I deploy?");
  yoda?.type("/message hans yes\r");
  expect(await asking).toMatchObject({ code: 0, stdout: "yes\n" });
  for (const { terminal } of terminals) {
    terminal.type("\x04");
    await terminal.exited;
  }
});

it("an error about a message to oneself says who is logged in, and how to send as another user", async () => {
  await home.logIn("hans", server);
  const alone = await home.run("send", "hans", "hi");
  expect(alone).toMatchObject({
    code: 1,
    stderr:
      "Not sent: you are logged in as hans, and a message needs another user. To send as another user, add --as USER. (RECIPIENT_IS_SELF)\n",
  });
  await home.logIn("yoda", server);
  const both = await home.run("send", "yoda", "hi");
  expect(both.stderr).toBe(
    "Not sent: you are logged in as yoda, and a message needs another user. To send as hans, add --as hans. (RECIPIENT_IS_SELF)\n",
  );
});

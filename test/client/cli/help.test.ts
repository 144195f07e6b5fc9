// The help of each command: it fits 80 columns, and docs/commands.md has the same forms, flags and messages.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { commands } from "../../../client/cli/commands/table.ts";
import { commandHelp, overview } from "../../../client/cli/dispatch/help.ts";
import { columnsOf } from "../../../client/cli/terminal/text/width.ts";
import { Home } from "./parley.ts";

const docs = readFileSync(new URL("../../../docs/commands.md", import.meta.url), "utf8");

test("the overview lists every command and every exit code in 80 columns", () => {
  const text = overview("npx parley", commands);
  for (const { name, summary } of commands)
    expect(text).toMatch(new RegExp(`^  ${name} .*${summary.slice(0, 20)}`, "m"));
  for (const code of [0, 1, 2, 3, 4, 5, 6]) expect(text).toMatch(new RegExp(`^ +${code} `, "m"));
  expect(text.split("\n").filter((line) => columnsOf(line) > 80)).toEqual([]);
});

test.each(commands)(
  "$name: the help fits 80 columns, and the docs have its forms, flags and JSON",
  async (row) => {
    const { command } = await row.load();
    const text = commandHelp("npx parley", row, command);
    expect(text.split("\n").filter((line) => columnsOf(line) > 80)).toEqual([]);

    const section = docs.split(/^### /m).find((one) => one.startsWith(`${row.name}\n`)) ?? "";
    for (const form of command.forms) expect(section).toContain(`parley ${row.name} ${form}`.trim());
    const common = ["as", "server", "fingerprint", "accept-new", "plaintext"];
    for (const name of Object.keys(command.flags).filter((one) => !common.includes(one))) {
      expect(section).toContain(`--${name}`);
    }
    const message = command.json?.match(/^[A-Z]\w+/)?.[0];
    if (message !== undefined) expect(section).toContain(`\`${message}\``);
  },
);

test("help, --help, -h and --version print to standard output with exit code 0", async () => {
  await using home = await Home.make();
  const [help, flag, send, short, version] = await Promise.all([
    home.run("help"),
    home.run("--help"),
    home.run("help", "send"),
    home.run("send", "-h"),
    home.run("--version"),
  ]);
  expect(help).toMatchObject({ code: 0, stderr: "", stdout: flag.stdout });
  expect(send).toMatchObject({ code: 0, stderr: "", stdout: short.stdout });
  expect(send.stdout).toContain("parley send USER TEXT…");
  expect(version).toMatchObject({ code: 0, stderr: "" });
  expect(version.stdout).toMatch(/^parley \d+\.\d+\.\d+\n$/);
});

test("common flags can precede the command, even with the name of a command as a value", async () => {
  await using home = await Home.make({ npm_command: "exec" });
  const [before, after, chat] = await Promise.all([
    home.run("--as", "send", "--server", "127.0.0.1:1", "whoami"),
    home.run("whoami", "--as", "send", "--server", "127.0.0.1:1"),
    home.run("--bell", "sometimes"),
  ]);
  expect(before).toMatchObject({ code: 4, stderr: after.stderr });
  expect(before.stderr).toContain("send is not logged in");
  expect(chat).toMatchObject({ code: 2 });
  expect(chat.stderr).toContain("--bell");
});

test("unknown names are refused with exit code 2 and the closest name", async () => {
  await using home = await Home.make({ npm_command: "exec" });
  const [command, flag, missing, extra, topic] = await Promise.all([
    home.run("snd", "yoda", "hello"),
    home.run("send", "yoda", "hello", "--jsno"),
    home.run("send", "yoda"),
    home.run("who", "yoda"),
    home.run("help", "tial"),
  ]);
  expect(command).toMatchObject({ code: 2, stdout: "" });
  expect(command.stderr).toBe(
    'There is no command "snd". Did you mean send? List of commands: npx parley help\n',
  );
  expect(flag).toMatchObject({ code: 2, stdout: "" });
  expect(flag.stderr).toContain("Did you mean --json?");
  expect(missing).toMatchObject({ code: 2, stdout: "" });
  expect(missing.stderr).toContain("npx parley send USER TEXT…, or npx parley send USER -");
  expect(extra).toMatchObject({ code: 2, stdout: "" });
  expect(topic.stderr).toContain("Did you mean tail?");
});

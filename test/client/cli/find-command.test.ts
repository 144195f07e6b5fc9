// Which word of a command line is the command, and which are values of flags.
import { expect, test } from "vitest";
import { commandAt } from "../../../client/cli/find-command.ts";

async function command(...argv: string[]): Promise<string | undefined> {
  return argv[await commandAt(argv)];
}

test.each([
  ["ask", "ask", "yoda", "hi"],
  ["histry", "histry", "yoda"],
  ["history", "--as", "yoda", "history", "luke"],
  ["history", "--as", "history", "history", "luke"],
  ["history", "--as=history", "history", "luke"],
  ["history", "-n", "3", "history", "luke"],
  ["signup", "--invite", "ask", "signup", "yoda"],
  ["listen", "--private-answer", "accept", "listen"],
  ["history", "--jsn", "history", "luke"],
  ["ask", "--plain", "ask", "yoda"],
  ["help", "--json", "help", "send"],
])("it is %s in: %s %s %s %s", async (name, ...argv) => {
  expect(await command(...argv)).toBe(name);
});

test.each([
  [],
  ["--private-answer", "ask"],
  ["--private-answer", "ask", "--as", "send"],
  ["--as", "ask"],
  ["--server", "listen", "--plain"],
  ["--bell", "send"],
  ["--plain", "--", "ask"],
  ["127.0.0.1", "12000", "--private-answer", "ask"],
  ["--private-answer", "ask", "127.0.0.1", "12000"],
])("it is the chat, without its name, in: %s %s %s %s", async (...argv) => {
  expect(await command(...argv)).toBeUndefined();
});

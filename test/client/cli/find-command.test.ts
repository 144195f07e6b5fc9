// Finding the command's name among flags and their values.
import { expect, test } from "vitest";
import { commandAt } from "../../../client/cli/dispatch/find-command.ts";

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
])("the command is %s in: %s %s %s %s", async (name, ...argv) => {
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
])("there is no command's name, so the chat starts, in: %s %s %s %s", async (...argv) => {
  expect(await command(...argv)).toBeUndefined();
});

// Private chats in plain lines whose peer is a process that stops or is killed.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TestServer } from "../../support/server.ts";
import { startServer } from "../cli/parley.ts";
import { Person, type Running } from "../cli/private-people.ts";

let server: TestServer;

beforeEach(async () => {
  server = await startServer({ users: ["yoda", "luke"] });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

/** Resolves when the chat takes lines. */
async function live(chat: Running): Promise<Running> {
  await chat.prints("Logged in as ");
  chat.say("anything");
  await chat.prints("Error: Unknown command anything.");
  return chat;
}

/** Resolves when both chats show that the private chat is open. */
async function open(luke: Running, yoda: Running): Promise<void> {
  luke.say("startprivate yoda --relay");
  await yoda.prints("luke asks for a private chat.");
  yoda.say("accept luke --relay");
  for (const end of [luke, yoda]) await end.prints("Private chat with ");
}

test("a peer that is killed is reported as a lost connection", async () => {
  await using lukes = await Person.at(server, "luke");
  await using yodas = await Person.at(server, "yoda");
  const luke = await live(lukes.startProcess("--plain"));
  const yoda = await live(yodas.start("--plain"));
  await open(luke, yoda);
  luke.child.kill("SIGKILL");
  await yoda.prints("The connection to luke is lost");
});

test("a user who leaves reads how many lines may not have arrived", async () => {
  await using lukes = await Person.at(server, "luke");
  await using yodas = await Person.at(server, "yoda");
  const luke = await live(lukes.start("--plain"));
  const yoda = await live(yodas.startProcess("--plain"));
  await open(luke, yoda);
  yoda.child.kill("SIGSTOP");
  luke.say("private yoda one that does not", "/quit");
  const run = await luke.ended;
  expect(run).toMatchObject({ code: 0 });
  expect(run.stderr).toBe("1 private line to yoda may not have arrived.\n");
});

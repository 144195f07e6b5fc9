// parley ask: prints the first answer, however early or late it arrives.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestClient, type TestStream, textOf } from "../../support/client.ts";
import { TestServer } from "../../support/server.ts";
import { Home, parsed } from "./parley.ts";

let server: TestServer;
let yoda: Home;
let luke: TestClient;
let seen: TestStream;

beforeAll(async () => {
  server = await TestServer.start({ users: ["yoda", "luke", "leia"] });
  yoda = await Home.make();
  await yoda.logIn("yoda", server, "--plaintext");
  luke = await server.logIn("luke");
  seen = await luke.connect().caughtUp();
});

afterAll(async () => {
  await yoda[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** Resolves when luke has received the question. */
async function question(text: string): Promise<void> {
  await seen.next("entryAppended", (appended) => textOf(appended) === text);
}

test("only the answer is printed; messages of other users and older messages are not answers", async () => {
  await luke.send("yoda", "something older");
  const asking = yoda.run("ask", "luke", "shall I", "deploy?");
  await question("shall I deploy?");
  const leia = await server.logIn("leia");
  await leia.send("yoda", "not an answer");
  await luke.send("yoda", "yes,\n\u{1b}[1mdo");
  expect(await asking).toEqual({ code: 0, stdout: "yes,\n␛[1mdo\n", stderr: "", lines: ["yes,", "␛[1mdo"] });
});

test("--json prints the unchanged entry; - reads the text from standard input", async () => {
  const asking = yoda.pipe("and now?\n", "ask", "luke", "-", "--json");
  await question("and now?");
  const ack = await luke.send("yoda", "\u{1b}[1mnow");
  const { code, stdout, stderr } = await asking;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(parsed(stdout)).toMatchObject({ seq: String(ack.seq), content: { text: "\u{1b}[1mnow" } });
});

test("without an answer in time the exit code is 6; --id continues, and finds an answer that arrived meanwhile", async () => {
  const late = await yoda.run("ask", "luke", "are you there?", "--timeout", "1s");
  expect(late).toMatchObject({ code: 6, stdout: "" });
  const id = /--id (\d+)/.exec(late.stderr)?.[1] ?? "";
  await question("are you there?");
  await luke.send("yoda", "I was away");
  expect(await yoda.run("send", "luke", "my own later message")).toMatchObject({ code: 0 });
  const again = await yoda.run("ask", "luke", "are you there?", "--id", id, "--timeout", "20s");
  expect(again).toMatchObject({ code: 0, stdout: "I was away\n", stderr: "" });
  const said = (await yoda.run("history", "luke", "--json")).lines.map(parsed);
  expect(said.filter((item) => JSON.stringify(item).includes("are you there?"))).toHaveLength(1);
});

test("an answer is found among many other messages", async () => {
  const late = await yoda.run("ask", "luke", "a long story", "--timeout", "0");
  const id = /--id (\d+)/.exec(late.stderr)?.[1] ?? "";
  await question("a long story");
  // More messages than a backlog has, so that the answer is in its gap.
  await luke.send("yoda", "the answer");
  const stream = await luke.connect().caughtUp();
  for (let count = 0; count < 520; count++) stream.send("yoda", "more");
  while (stream.all("ack").length < 520) await stream.change();
  const again = await yoda.run("ask", "luke", "a long story", "--id", id, "--timeout", "20s");
  expect(again).toMatchObject({ code: 0, stdout: "the answer\n", stderr: "" });
});

test("a refused question ends the command immediately", async () => {
  expect(await yoda.run("ask", "nobody", "hello?")).toMatchObject({ code: 1, stdout: "" });
});

// Private chats in plain lines over a real server, from the request to the end, at both users.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
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

async function chat(person: Person, ...flags: string[]): Promise<Running> {
  const running = person.start("--plain", ...flags);
  await running.prints("Logged in as ");
  // Lines are read once the link is live.
  running.say("anything");
  await running.prints("Error: Unknown command");
  return running;
}

interface Scenario extends AsyncDisposable {
  readonly luke: Running;
  readonly yoda: Running;
}

/** Both users run the chat, each with a state folder. */
async function lukeAndYoda(): Promise<Scenario> {
  await using people = new AsyncDisposableStack();
  const lukes = people.use(await Person.at(server, "luke"));
  const yodas = people.use(await Person.at(server, "yoda"));
  const [luke, yoda] = [await chat(lukes), await chat(yodas)];
  const kept = people.move();
  return { luke, yoda, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Opens a private chat that luke asks for. */
async function together(luke: Running, yoda: Running): Promise<void> {
  luke.say("startprivate yoda --relay");
  await yoda.prints("luke asks for a private chat.");
  yoda.say("accept luke --relay");
  for (const end of [luke, yoda]) await end.prints("Private chat with ");
}

describe("two users", () => {
  it("ask, accept, chat and stop; lines that waited arrive first", async () => {
    await using scenario = await lukeAndYoda();
    const { luke, yoda } = scenario;
    luke.say("startprivate yoda --relay");
    await luke.prints("yoda has been asked and has ");
    luke.say("private yoda said before the yes");
    await yoda.prints("luke asks for a private chat.");
    await yoda.prints("/accept luke: accept, through the server, which cannot read it.");
    yoda.say("private");
    await yoda.prints("luke: asks you; answer with /accept luke or /refuse luke");
    yoda.say("accept luke");
    await yoda.prints("luke (private): said before the yes");
    yoda.say("private");
    await yoda.prints("\nluke: through the server, which cannot read it");
    await luke.prints("The waiting lines were sent to yoda.");
    yoda.say("private luke", "do or do not");
    await luke.prints("yoda (private): do or do not");
    luke.say("stopprivate yoda");
    await luke.prints("The private chat with yoda has ended.");
    await yoda.prints("luke has ended the private chat.");
    yoda.say("broadcast my secret");
    await yoda.prints("Nothing was sent: the private chat with luke has ended");
    expect(luke.printed).not.toContain("my secret");
  });

  it("can accept and send at the end of a script, which waits until the line has arrived", async () => {
    await using scenario = await lukeAndYoda();
    const { luke, yoda } = scenario;
    luke.say("startprivate yoda --relay");
    await yoda.prints("luke asks for a private chat.");
    yoda.child.stdin.end("accept luke\nprivate luke right away\n");
    await luke.prints("yoda (private): right away");
    expect(await yoda.ended).toMatchObject({ code: 0 });
  });

  it("can send more than the peer takes at a time, at the peer's speed", async () => {
    await using scenario = await lukeAndYoda();
    const { luke, yoda } = scenario;
    await together(luke, yoda);
    luke.say("/private yoda");
    const before = luke.printed.split("Error: ").length;
    // Three times the data that may be on its way.
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index} ${"x".repeat(30_000)}`);
    luke.child.stdin.end(`${lines.join("\n")}\n`);
    const run = await luke.ended;
    expect(run.code).toBe(0);
    expect(luke.printed.split("Error: ")).toHaveLength(before);
    await yoda.prints("luke has left.");
    expect(yoda.printed.match(/line \d+ x/g)).toHaveLength(lines.length);
  });

  it("have no key to accept if the keys are as expected", async () => {
    await using scenario = await lukeAndYoda();
    const { luke, yoda } = scenario;
    await together(luke, yoda);
    yoda.say("verify luke", "verify luke --confirm", "verify luke --accept", "verify luke");
    await yoda.prints("Error: There is nothing to accept: luke has not used another key.");
    await yoda.prints("This key of luke is verified.");
  });

  it("use a direct path if both allow it", async () => {
    await using scenario = await lukeAndYoda();
    const { luke, yoda } = scenario;
    luke.say("startprivate yoda --direct");
    await yoda.prints("luke will see your address.");
    yoda.say("accept luke");
    for (const end of [luke, yoda]) await end.prints("directly from device to device. /private");
  });

  it("get waiting lines back when the request is refused", async () => {
    await using scenario = await lukeAndYoda();
    const { luke, yoda } = scenario;
    luke.say("startprivate yoda", "private yoda please");
    await yoda.prints("luke asks for a private chat.");
    yoda.say("refuse luke");
    await luke.prints("yoda does not want a private chat now.");
    await luke.prints("Not sent: “please”");
  });

  it("cannot accept a request that was withdrawn", async () => {
    await using scenario = await lukeAndYoda();
    const { luke, yoda } = scenario;
    luke.say("startprivate yoda");
    await yoda.prints("luke asks for a private chat.");
    luke.say("stopprivate yoda");
    await yoda.prints("luke no longer asks for a private chat.");
    yoda.say("accept luke");
    await yoda.prints("Error: luke has not asked for a private chat.");
  });
});

describe("the end of a chat is reported to the peer", () => {
  it.each([
    ["a log-out", (end: Running) => end.say("/logout"), "luke has logged out. The private chat has ended."],
    ["leaving", (end: Running) => end.say("/quit"), "luke has left. The private chat has ended."],
  ])("with its reason: %s", async (_what, leave, words) => {
    await using scenario = await lukeAndYoda();
    const { luke, yoda } = scenario;
    await together(luke, yoda);
    leave(luke);
    await yoda.prints(words);
  });
});

describe("a user who leaves", () => {
  it("reads how many waiting lines were not sent", async () => {
    await using scenario = await lukeAndYoda();
    const { luke, yoda } = scenario;
    luke.say("startprivate yoda", "private yoda please");
    await yoda.prints("luke asks for a private chat.");
    luke.say("private yoda hurry", "/quit");
    const run = await luke.ended;
    expect(run).toMatchObject({ code: 0 });
    expect(run.stderr).toBe("2 private lines to yoda were not sent.\n");
  });
});

describe("several devices", () => {
  it("are all asked; the first acceptance wins, and the others are notified", async () => {
    await using lukes = await Person.at(server, "luke");
    await using context = await Person.at(server, "yoda");
    await using hut = await Person.at(server, "yoda");
    const luke = await chat(lukes);
    const there = await chat(context);
    const here = await chat(hut);
    luke.say("startprivate yoda");
    for (const end of [there, here]) await end.prints("luke asks for a private chat.");
    here.say("accept luke");
    await here.prints("Private chat with luke");
    await there.prints("The private chat with luke was accepted on ");
    there.say("accept luke");
    await there.prints("Error: luke has not asked for a private chat.");
  });
});

describe("settings", () => {
  it("--always accepts the next request without asking", async () => {
    await using scenario = await lukeAndYoda();
    const { luke, yoda } = scenario;
    luke.say("startprivate yoda");
    await yoda.prints("luke asks for a private chat.");
    yoda.say("accept luke --always");
    await yoda.prints("Requests by luke are now accepted without asking you, through the server");
    await luke.prints("Private chat with yoda");
    luke.say("stopprivate yoda");
    await yoda.prints("luke has ended the private chat.");
    luke.say("startprivate yoda --direct");
    await yoda.prints("luke asked for a private chat and was accepted by your setting.");
    // --always was for a chat through the server.
    await luke.prints("/private yoda opens it.\n");
    expect(luke.printed).not.toContain("directly");
    yoda.say("refuse luke");
    await yoda.prints("Requests by luke are no longer always accepted: you are asked again.");
  });

  it.each([
    ["refuse", "yoda does not want a private chat now."],
    ["accept", "Private chat with yoda: through the server"],
  ])("--private-answer %s answers instead of the user", async (answer, words) => {
    await using lukes = await Person.at(server, "luke");
    await using yodas = await Person.at(server, "yoda");
    const luke = await chat(lukes);
    await chat(yodas, "--private-answer", answer);
    luke.say("startprivate yoda");
    await luke.prints(words);
  });

  it("--keep-private keeps lines for /history on this device, and the server has none", async () => {
    await using lukes = await Person.at(server, "luke");
    await using yodas = await Person.at(server, "yoda");
    const luke = await chat(lukes, "--keep-private");
    const yoda = await chat(yodas);
    await together(luke, yoda);
    luke.say("private yoda", "one for the record");
    await yoda.prints("luke (private): one for the record");
    luke.say("/history", "/quit");
    expect((await luke.ended).stdout.match(/one for the record/g)).toHaveLength(1);
    expect((await lukes.home.run("history", "yoda")).stdout).toBe("");
    const json = await lukes.home.run("history", "yoda", "--private", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({
      entry: {
        sender: { username: "luke" },
        recipient: { username: "yoda" },
        content: { text: "one for the record" },
      },
    });
  });
});

it("an unknown user, the user, an offline user and a chat that is not open are errors", async () => {
  await using lukes = await Person.at(server, "luke");
  const run = await lukes.home.pipe(
    [
      "startprivate nobody",
      "startprivate luke",
      "startprivate yoda",
      "private yoda hi",
      "stopprivate yoda",
    ].join("\n"),
    "--plain",
  );
  expect(run.lines.slice(1)).toEqual([
    "Error: No private chat with nobody: There is no user of that name.",
    "Error: You cannot chat with yourself.",
    "Error: yoda is not online.",
    "Error: No private chat with yoda is open. To ask for one: /startprivate yoda",
    "Error: No private chat with yoda is open. To ask for one: /startprivate yoda",
  ]);
  expect(run.code).toBe(0);
});

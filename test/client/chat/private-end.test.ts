// The end of a private chat: who is told what, and that nothing typed for it goes anywhere else.
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { NotSaidError } from "../../../client/peer/conversation.ts";
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { RpcError } from "../../../rpc/status.ts";
import { asks, ends, fails, opens, says, waits } from "./private-events.ts";
import { live, type Stage } from "./stage.ts";

function lost(reason: string, message = "Marks rise."): RpcError {
  return new RpcError({ code: status.UNAVAILABLE, reason, message });
}

/** yoda's chat is open, and written to. */
async function inside(options: { plain?: boolean; isTyped?: boolean } = {}): Promise<Stage> {
  const stage = await live(options);
  await opens(stage, "yoda");
  await stage.chat.enter("private yoda");
  stage.shown();
  return stage;
}

describe("the end", () => {
  it.each([
    [{ kind: "goodbye", by: "them", ending: Ending.STOPPED }, "yoda has ended the private chat."],
    [
      { kind: "goodbye", by: "them", ending: Ending.LOGGED_OUT },
      "yoda has logged out: the private chat is over.",
    ],
    [
      { kind: "goodbye", by: "them", ending: Ending.TIMED_OUT },
      "yoda was logged out after a time without a command: the private chat is over.",
    ],
    [{ kind: "goodbye", by: "them", ending: Ending.LEFT }, "yoda has left: the private chat is over."],
    [
      { kind: "goodbye", by: "them", ending: Ending.FAILED },
      "The program of yoda cannot go on: the private chat is over.",
    ],
    [
      { kind: "goodbye", by: "them", ending: Ending.FINISHED },
      "yoda has no more to say: the private chat is over.",
    ],
    [
      { kind: "goodbye", by: "me", ending: Ending.FINISHED },
      "yoda has no more to say: the private chat is over.",
    ],
    [{ kind: "goodbye", by: "me", ending: Ending.STOPPED }, "The private chat with yoda is over."],
    [
      { kind: "keys", problem: "changed" },
      "STOP: the private chat with yoda went to another key than the one that you verified, so it is over. Ask yoda in " +
        "another way, and compare the codes: /verify yoda. /verify yoda --accept takes that other key.",
    ],
    [
      { kind: "keys", problem: "unsigned" },
      "STOP: the private chat with yoda went to a device for which the key that you verified does not vouch, so it is " +
        "over. Ask yoda in another way whether it is a new one, and to link it. /verify yoda --accept takes that device as " +
        "it is.",
    ],
    [
      { kind: "failed", cause: lost("PEER_GONE") },
      "The connection to yoda is lost: the private chat is over.",
    ],
    [
      { kind: "failed", cause: lost("MARKS_INVALID") },
      "The connection to yoda is lost (Marks rise.): the private chat is over.",
    ],
    [
      { kind: "failed", cause: lost("CONNECTION_TAMPERED") },
      "WARNING: somebody between you and yoda changed what was sent, so the private chat was cut.",
    ],
    [
      { kind: "failed", cause: lost("ANYTHING", "made up\n14:00 · STOP: trust me") },
      "The connection to yoda is lost (made up 14:00 · STOP: trust me): the private chat is over.",
    ],
  ] as const)("is told with its reason", async (how, words) => {
    const stage = await inside();
    await ends(stage, "yoda", { how });
    expect(stage.shown()).toEqual([`14:00 · ${words}`]);
    expect(stage.prompt).toBe("parley> ");
  });

  it("of another chat leaves the open one open", async () => {
    const stage = await inside();
    await opens(stage, "leia");
    await ends(stage, "leia");
    expect(stage.prompt).toBe("yoda (private, direct)> ");
    await stage.chat.enter("still here");
    expect(stage.privates.said).toEqual([{ to: "yoda", text: "still here" }]);
  });

  it("comes with stopprivate", async () => {
    const stage = await inside();
    await stage.chat.enter("/stopprivate yoda");
    expect(stage.privates.done.at(-1)).toBe("stop yoda");
  });

  it("puts back the one line that is not known to have arrived, and names several", async () => {
    const stage = await inside();
    await ends(stage, "yoda", { undelivered: ["the plans"] });
    expect(stage.putBack).toBe("/private yoda the plans");
    expect(stage.shown()[1]).toBe("14:00 · Not known to have arrived: it stands before the cursor again.");
    await opens(stage, "yoda");
    stage.shown();
    await ends(stage, "yoda", { undelivered: ["one", "two"] });
    expect(stage.shown().slice(1)).toEqual([
      "14:00 · Not known to have arrived: “one”",
      "14:00 · Not known to have arrived: “two”",
    ]);
  });

  it("names what is not known to have arrived whole in plain lines, too, where no line of it can pass for another", async () => {
    const stage = await inside({ plain: true });
    stage.isTyping = true;
    await ends(stage, "yoda", { undelivered: ["one\nyoda (private): two"] });
    expect(stage.shown().slice(1)).toEqual(["Not known to have arrived: “one\n  yoda (private): two”"]);
  });

  it("leaves what is unread there", async () => {
    const stage = await live();
    await opens(stage, "yoda");
    stage.chat.focus(true);
    await says(stage, "yoda", "run");
    await ends(stage, "yoda");
    expect(stage.status).toContain("unread: yoda (private) 1");
  });

  it("leaves nothing to open: Alt-a says where what is unread stands, and goes on to the next", async () => {
    const stage = await live();
    await opens(stage, "vader");
    await says(stage, "vader", "join me");
    await ends(stage, "vader");
    await stage.chat.take(stage.entry("yoda", "patience"));
    stage.shown();
    await stage.chat.openNextUnread();
    expect(stage.shown()).toEqual([
      "14:00 · The private chat with vader is over: what was said stands above.",
    ]);
    expect(stage.status).not.toContain("vader");
    expect(stage.prompt).toBe("parley> ");
    await stage.chat.openNextUnread();
    expect(stage.prompt).toBe("yoda> ");
  });

  it("leaves what is unread to be opened where that one is being asked anew", async () => {
    const stage = await live();
    await opens(stage, "vader");
    await says(stage, "vader", "join me");
    await ends(stage, "vader");
    await waits(stage, "vader");
    await stage.chat.openNextUnread();
    expect(stage.prompt).toBe("vader (private, waiting)> ");
  });
});

describe("what was being typed when it ended", () => {
  it.each(["I love you", "broadcast the code is 1138", "message leia it is over"])(
    "goes nowhere, and stands before the cursor again: %s",
    async (text) => {
      const stage = await inside();
      await ends(stage, "yoda");
      stage.shown();
      await stage.chat.enter(text);
      expect(stage.shown()).toEqual(["Error: Nothing was sent: the private chat with yoda is over."]);
      expect(stage.putBack).toBe(text);
      expect([stage.sent, stage.privates.said]).toEqual([[], []]);
    },
  );

  it("goes nowhere either where the other one had no more to say, though this end said the goodbye", async () => {
    const stage = await inside();
    await ends(stage, "yoda", { how: { kind: "goodbye", by: "me", ending: Ending.FINISHED } });
    stage.shown();
    await stage.chat.enter("broadcast wait");
    expect(stage.sent).toEqual([]);
    expect(stage.putBack).toBe("broadcast wait");
  });

  it("goes nowhere either where the one who was asked says no", async () => {
    const stage = await live();
    await waits(stage, "yoda");
    await stage.chat.enter("private yoda");
    await fails(stage, "yoda", lost("INTRODUCTION_REFUSED"));
    await stage.chat.enter("broadcast why not?");
    expect(stage.sent).toEqual([]);
    expect(stage.putBack).toBe("broadcast why not?");
  });

  it("is named where something else is being typed by now, and the next one is kept too", async () => {
    const stage = await inside();
    await ends(stage, "yoda");
    stage.isTyping = true;
    stage.shown();
    await stage.chat.enter("I love you");
    await stage.chat.enter("broadcast I know");
    expect(stage.shown()).toEqual([
      "Error: Nothing was sent: the private chat with yoda is over, and a command needs its slash now. “I love you”",
      "Error: Nothing was sent: the private chat with yoda is over, and a command needs its slash now. “broadcast I know”",
    ]);
    expect(stage.sent).toEqual([]);
  });

  it("is every line of a script, until it says a command with its slash", async () => {
    const stage = await inside({ plain: true });
    stage.isTyping = true;
    await ends(stage, "yoda");
    for (const line of ["one", "", "broadcast two", "message leia three"]) await stage.chat.enter(line);
    expect(stage.sent).toEqual([]);
    // In plain lines a message is taken once it is acked.
    const entered = stage.chat.enter("/message leia four");
    await stage.ack(0);
    await entered;
    void stage.chat.enter("message leia five");
    expect(stage.sent.map(({ text }) => text)).toEqual(["four", "five"]);
  });

  it("is asked about once: what is entered then is read as ever", async () => {
    const stage = await inside();
    await ends(stage, "yoda");
    await stage.chat.enter("broadcast all is well");
    await stage.chat.enter("broadcast all is well");
    expect(stage.sent.map(({ text }) => text)).toEqual(["all is well"]);
  });

  it.each([false, true])("is not what comes after the own stopprivate, in plain lines: %s", async (plain) => {
    const stage = await inside({ plain });
    await stage.chat.enter("/stopprivate yoda");
    const how = { kind: "goodbye", by: "me", ending: Ending.STOPPED } as const;
    await ends(stage, "yoda", { how });
    stage.shown();
    await stage.chat.enter("logout");
    expect([stage.left, stage.shown()]).toEqual([["logout"], []]);
  });

  it("is not what comes before the own end is told, or in place of a question that was taken back", async () => {
    const stage = await inside({ plain: true });
    await stage.chat.enter("/stopprivate yoda");
    await stage.chat.enter("logout");
    expect(stage.left).toEqual(["logout"]);
    await waits(stage, "leia");
    await stage.chat.enter("private leia");
    await stage.chat.enter("/stopprivate leia");
    await fails(stage, "leia", new NotSaidError("The question was taken back."));
    await stage.chat.enter("logout");
    expect(stage.left).toEqual(["logout", "logout"]);
  });

  it("is nothing any more once the person has done something else", async () => {
    const stage = await inside();
    await ends(stage, "yoda");
    await stage.chat.enter("/open leia");
    await stage.chat.enter("/close");
    await stage.chat.enter("message leia hi");
    expect(stage.sent.map(({ text }) => text)).toEqual(["hi"]);
  });
});

describe("commands for a chat that is not there", () => {
  it.each([
    ["private yoda", "No private chat with yoda is open. /startprivate yoda asks for one."],
    ["private leia", "No private chat with leia is open. /accept leia answers."],
    ["private yoda hello", "No private chat with yoda is open."],
    ["stopprivate", "Usage: /stopprivate USER"],
    ["startprivate", "Usage: /startprivate USER"],
  ])("%s is an error, and nothing is sent", async (line, words) => {
    const stage = await live();
    await asks(stage, "leia");
    stage.shown();
    await stage.chat.enter(line);
    expect(stage.shown()[0]?.toLowerCase()).toContain(`error: ${words}`.toLowerCase());
    expect([stage.sent, stage.privates.said, stage.privates.done]).toEqual([[], [], []]);
  });

  it.each([
    ["stopprivate yoda", "No private chat with yoda is open. /startprivate yoda asks for one."],
    ["accept yoda", "yoda does not ask for a private chat."],
    ["refuse yoda", "yoda does not ask for a private chat."],
  ])("%s says what the chats say", async (line, words) => {
    const stage = await live();
    stage.privates.refusal = new NotSaidError(words);
    await stage.chat.enter(line);
    expect(stage.shown()).toEqual([`Error: ${words}`]);
  });
});

describe("a line in an open private chat that would be a command", () => {
  it.each(["private leia x", "startprivate leia", "stopprivate yoda", "accept leia"])(
    "is asked about before it is said: %s",
    async (line) => {
      const stage = await inside();
      await stage.chat.enter(line);
      expect(stage.privates.said).toEqual([]);
      expect(stage.shown()).toEqual([expect.stringContaining("That would go to yoda. Enter again sends it")]);
      expect(stage.putBack).toBe(line);
      await stage.chat.enter(line);
      expect(stage.privates.said).toEqual([{ to: "yoda", text: line }]);
    },
  );

  it("is asked about in a conversation that the server stores too", async () => {
    const stage = await live();
    await opens(stage, "leia");
    await stage.chat.enter("open yoda");
    stage.shown();
    await stage.chat.enter("private leia x");
    expect([stage.sent, stage.privates.said]).toEqual([[], []]);
    await stage.chat.run("private leia x");
    expect([stage.sent, stage.privates.said]).toEqual([[], [{ to: "leia", text: "x" }]]);
  });

  it("loses its doubt with the chat: entered again it is no answer any more", async () => {
    const stage = await inside();
    await stage.chat.enter("private leia x");
    await ends(stage, "yoda");
    await stage.chat.enter("private leia x");
    expect([stage.sent, stage.privates.said]).toEqual([[], []]);
  });

  it.each([
    [{ kind: "device", deviceName: "laptop" }, "on your device “laptop”"],
    [{ kind: "device", deviceName: "" }, "on another device of yours"],
    [{ kind: "here" }, "in another program on this device"],
  ] as const)("names where else it is open: %j", async (found, where) => {
    const stage = await live();
    stage.privates.others.set("yoda", found);
    for (const line of ["private yoda hi", "private yoda", "stopprivate yoda"]) {
      await stage.chat.enter(line);
      expect(stage.shown()).toEqual([`Error: The private chat with yoda is open ${where}.`]);
    }
    expect([stage.privates.said, stage.privates.done]).toEqual([[], []]);
  });

  it("to stop one who asks is to refuse", async () => {
    const stage = await live();
    await asks(stage, "yoda");
    stage.shown();
    await stage.chat.enter("/stopprivate yoda");
    expect(stage.shown()).toEqual(["Error: yoda is asking you: /refuse yoda answers."]);
  });

  it("one who was told yes is listed, and what is said to that one is held", async () => {
    const stage = await live();
    stage.privates.coming = ["yoda"];
    await stage.chat.enter("/private");
    expect(stage.shown()).toEqual(["  yoda: was told yes, and is about to come"]);
    await stage.chat.enter("/private yoda right away");
    expect(stage.shown().join()).toContain("right away");
  });
});

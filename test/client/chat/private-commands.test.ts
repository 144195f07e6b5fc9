// Commands for private chats that are not open, and lines in an open one that may be meant as commands.
import { describe, expect, it } from "vitest";
import { NotSentError } from "../../../client/peer/conversation/line-rules.ts";
import { type Fixture, live } from "./fixture.ts";
import { asks, ends, opens } from "./private-events.ts";

/** A fixture whose lines go to an open private chat with yoda. */
async function inside(options: { plain?: boolean; isTyped?: boolean } = {}): Promise<Fixture> {
  const fixture = await live(options);
  await opens(fixture, "yoda");
  await fixture.chat.enter("private yoda");
  fixture.shown();
  return fixture;
}

describe("commands for a chat that is not open", () => {
  it.each([
    ["private yoda", "No private chat with yoda is open. To ask for one: /startprivate yoda"],
    ["private leia", "No private chat with leia is open. To accept the request: /accept leia"],
    ["private yoda hello", "No private chat with yoda is open."],
    ["stopprivate", "No private chat is open. Name a user: /stopprivate USER"],
    ["startprivate", "Usage: /startprivate USER"],
  ])("%s is an error, and nothing is sent", async (line, words) => {
    const fixture = await live();
    await asks(fixture, "leia");
    fixture.shown();
    await fixture.chat.enter(line);
    expect(fixture.shown()[0]?.toLowerCase()).toContain(`error: ${words}`.toLowerCase());
    expect([fixture.sent, fixture.privates.said, fixture.privates.done]).toEqual([[], [], []]);
  });

  it.each([
    ["stopprivate yoda", "No private chat with yoda is open. To ask for one: /startprivate yoda"],
    ["accept yoda", "yoda does not ask for a private chat."],
    ["refuse yoda", "yoda does not ask for a private chat."],
  ])("%s shows the error of the private chats", async (line, words) => {
    const fixture = await live();
    fixture.privates.refusal = new NotSentError(words);
    await fixture.chat.enter(line);
    expect(fixture.shown()).toEqual([`Error: ${words}`]);
  });
});

describe("a line in an open private chat that may be meant as a command", () => {
  it.each(["private leia x", "startprivate leia", "stopprivate yoda", "accept leia"])(
    "is sent only after a question: %s",
    async (line) => {
      const fixture = await inside();
      await fixture.chat.enter(line);
      expect(fixture.privates.said).toEqual([]);
      expect(fixture.shown()).toEqual([
        expect.stringContaining("is a command. Press Enter again to send it to yoda"),
      ]);
      expect(fixture.putBack).toBe(line);
      await fixture.chat.enter(line);
      expect(fixture.privates.said).toEqual([{ to: "yoda", text: line }]);
    },
  );

  it("is asked about in a conversation with another user, too", async () => {
    const fixture = await live();
    await opens(fixture, "leia");
    await fixture.chat.enter("open yoda");
    fixture.shown();
    await fixture.chat.enter("private leia x");
    expect([fixture.sent, fixture.privates.said]).toEqual([[], []]);
    await fixture.chat.run("private leia x");
    expect([fixture.sent, fixture.privates.said]).toEqual([[], [{ to: "leia", text: "x" }]]);
  });

  it("is not confirmed by entering it again after the chat ended", async () => {
    const fixture = await inside();
    await fixture.chat.enter("private leia x");
    await ends(fixture, "yoda");
    await fixture.chat.enter("private leia x");
    expect([fixture.sent, fixture.privates.said]).toEqual([[], []]);
  });

  it.each([
    [{ kind: "device", deviceName: "laptop" }, "on your device “laptop”"],
    [{ kind: "device", deviceName: "" }, "on another device of yours"],
    [{ kind: "here" }, "in another program on this device"],
  ] as const)("is refused with the place where the chat is open: %j", async (found, where) => {
    const fixture = await live();
    fixture.privates.others.set("yoda", found);
    for (const line of ["private yoda hi", "private yoda", "stopprivate yoda"]) {
      await fixture.chat.enter(line);
      expect(fixture.shown()).toEqual([`Error: The private chat with yoda is open ${where}.`]);
    }
    expect([fixture.privates.said, fixture.privates.done]).toEqual([[], []]);
  });

  it("/stopprivate for a request suggests /refuse", async () => {
    const fixture = await live();
    await asks(fixture, "yoda");
    fixture.shown();
    await fixture.chat.enter("/stopprivate yoda");
    expect(fixture.shown()).toEqual([
      "Error: yoda has asked you for a private chat. To refuse: /refuse yoda",
    ]);
  });

  it("an accepted peer that is connecting is listed, and lines to it wait", async () => {
    const fixture = await live();
    fixture.privates.pendingPeers = ["yoda"];
    await fixture.chat.enter("/private");
    expect(fixture.shown()).toEqual(["Private chats:", "  yoda: accepted, connecting"]);
    await fixture.chat.enter("/private yoda right away");
    expect(fixture.shown().join()).toContain("right away");
  });
});

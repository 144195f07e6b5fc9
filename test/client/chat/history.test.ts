// /history: the end of a conversation, and broadcasts.
import { describe, expect, it } from "vitest";
import { Fixture } from "./fixture.ts";

describe("history", () => {
  it("lists the end of a conversation, and names the recipients unless it is open", async () => {
    const fixture = new Fixture();
    fixture.before("yoda", ["one", "two", "three"], 3);
    await fixture.connect();
    fixture.shown();
    await fixture.chat.enter("history yoda 2");
    expect(fixture.shown()).toEqual([
      "── earlier with yoda ──",
      "14:00 yoda → you: two",
      "14:00 yoda → you: three",
    ]);
    await fixture.chat.enter("open yoda");
    fixture.shown();
    await fixture.chat.enter("/history 1");
    expect(fixture.shown()).toEqual(["── earlier with yoda ──", "14:00 yoda: three"]);
    expect(fixture.read).toEqual([]);
  });

  it("reads more than one page", async () => {
    const fixture = new Fixture();
    fixture.before(
      "yoda",
      Array.from({ length: 1_200 }, (_, index) => `m${index + 1}`),
      1_200,
    );
    await fixture.connect();
    fixture.shown();
    await fixture.chat.enter("history yoda 1100");
    const lines = fixture.shown();
    expect(lines).toHaveLength(1_101);
    expect([lines[1], lines.at(-1)]).toEqual(["14:00 yoda → you: m101", "14:00 yoda → you: m1200"]);
  });

  it("shows broadcasts, and is an error for a user without messages, an unknown user and no user", async () => {
    const fixture = new Fixture();
    fixture.entry("vader", "to all", { kind: "broadcast" });
    await fixture.connect();
    fixture.shown();
    for (const line of ["history --broadcast", "history leia", "history nobody", "history", "history 5"])
      await fixture.chat.enter(line);
    expect(fixture.shown()).toEqual([
      "── earlier to everyone ──",
      "14:00 vader → everyone: to all",
      "Error: There are no messages with leia yet.",
      "Error: /history nobody: There is no user of that name.",
      "Error: No conversation is open. Name a user: /history USER",
      "Error: No conversation is open. Name a user: /history USER 5",
    ]);
  });
});

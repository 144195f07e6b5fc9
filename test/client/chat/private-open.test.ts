// An open private chat: its prompt and lines, unread lines, typing notifications and delivery marks.
import { describe, expect, it } from "vitest";
import { newKeys } from "./fake-private-chats.ts";
import { live } from "./fixture.ts";
import { changedKeys, opens, says } from "./private-events.ts";

describe("a private chat that opens", () => {
  it.each([
    ["direct", "directly from device to device"],
    ["relayed", "through the server, which cannot read it"],
  ] as const)("shows its path: %s", async (path, words) => {
    const fixture = await live();
    await opens(fixture, "yoda", { path });
    expect(fixture.shown()).toEqual([`14:00 · Private chat with yoda: ${words}. /private yoda opens it.`]);
  });

  it("shows how to verify the peer, the first time", async () => {
    const fixture = await live();
    await opens(fixture, "yoda", { keyCheck: newKeys });
    expect(fixture.shown()[1]).toBe(
      "14:00 · This is the first private chat with yoda on this device. To make sure that it is yoda: /verify yoda",
    );
  });

  it.each([
    [changedKeys, "WARNING: the identity key of yoda has changed"],
    [{ ...newKeys, problem: "unsigned" }, "WARNING: this device is not signed by the identity key of yoda"],
  ] as const)("warns about a changed or unsigned key", async (keyCheck, words) => {
    const fixture = await live();
    await opens(fixture, "yoda", { keyCheck, holds: keyCheck === changedKeys });
    const held = keyCheck === changedKeys ? [expect.stringContaining("What you write to yoda waits")] : [];
    expect(fixture.shown().slice(1)).toEqual([expect.stringContaining(words), ...held]);
  });

  it("does not receive a line typed for another user", async () => {
    const fixture = await live();
    await fixture.chat.enter("open leia");
    await opens(fixture, "yoda");
    expect(fixture.prompt).toBe("leia> ");
    await fixture.chat.enter("to leia");
    expect(fixture.sent.map(({ text }) => text)).toEqual(["to leia"]);
    expect(fixture.privates.said).toEqual([]);
  });
});

describe("lines", () => {
  it("are marked in both directions, at a screen", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    fixture.shown();
    await says(fixture, "yoda", "hi");
    await says(fixture, "yoda", "hello", { mine: true });
    expect(fixture.shown()).toEqual(["14:00 yoda → you (private): hi", "14:00 luke → yoda (private): hello"]);
  });

  it("are marked and safe in plain lines", async () => {
    const fixture = await live({ plain: true });
    await opens(fixture, "yoda");
    fixture.shown();
    await says(fixture, "yoda", "hi\nluke: \u{1b}[31m");
    expect(fixture.shown()).toEqual(["yoda (private): hi\n  luke: ␛[31m"]);
  });

  it("that this version cannot read are shown as such", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    fixture.shown();
    await says(fixture, "yoda", "", { content: { kind: "unknown" } });
    expect(fixture.shown()).toEqual([expect.stringContaining("this version of parley cannot show")]);
  });

  it("go to the peer only, verbatim, and count as activity", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    await fixture.chat.enter("private yoda");
    const before = fixture.activity;
    await fixture.chat.enter("  two  spaces ");
    await fixture.chat.enter("//shrug");
    expect(fixture.privates.said).toEqual([
      { to: "yoda", text: "  two  spaces " },
      { to: "yoda", text: "/shrug" },
    ]);
    expect(fixture.sent).toEqual([]);
    expect(fixture.activity).toBe(before + 2);
  });

  it("wait up to a minute for a slow peer in plain lines, and not at a screen", async () => {
    const room = Promise.withResolvers<void>();
    const plain = await live({ plain: true });
    const screen = await live();
    for (const fixture of [plain, screen]) {
      fixture.privates.hasRoom = room.promise;
      await opens(fixture, "yoda");
    }
    await screen.chat.enter("private yoda at once");
    expect(screen.privates.said.map(({ text }) => text)).toEqual(["at once"]);
    const entered = plain.chat.enter("private yoda when there is room");
    await plain.clock.timer();
    expect(plain.privates.said).toEqual([]);
    room.resolve();
    await entered;
    plain.privates.hasRoom = new Promise(() => undefined);
    const late = plain.chat.enter("private yoda after a minute");
    await plain.clock.timer();
    plain.clock.advance(60_000);
    await late;
    expect(plain.privates.said.map(({ text }) => text)).toEqual(["when there is room", "after a minute"]);
  });

  it("end with /stopprivate, which needs no name in the open one", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    await fixture.chat.enter("private yoda");
    expect(fixture.prompt).toMatch(/^yoda \(private/);
    await fixture.chat.enter("/stopprivate");
    expect(fixture.prompt).toBe("parley> ");
    fixture.shown();
    await fixture.chat.enter("/stopprivate");
    expect(fixture.shown()).toEqual(["Error: No private chat is open. Name a user: /stopprivate USER"]);
  });

  it("go by /private USER to any number of peers, whichever conversation is open", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    await opens(fixture, "leia", { path: "relayed" });
    await fixture.chat.enter("open vader");
    await fixture.chat.enter("/private yoda  one ");
    await fixture.chat.enter("/private leia two");
    await fixture.chat.enter("three");
    expect(fixture.privates.said).toEqual([
      { to: "yoda", text: " one " },
      { to: "leia", text: "two" },
    ]);
    expect(fixture.sent.map(({ target, text }) => [target, text])).toEqual([
      [{ kind: "user", username: "vader" }, "three"],
    ]);
  });
});

describe("the prompt", () => {
  it("names the peer and the path instead of the conversation that was open", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    await opens(fixture, "leia", { path: "relayed" });
    await fixture.chat.enter("open vader");
    await fixture.chat.enter("/private yoda");
    expect(fixture.prompt).toBe("yoda (private, direct)> ");
    await fixture.chat.enter("/private leia");
    expect(fixture.prompt).toBe("leia (private, relayed)> ");
    await fixture.chat.enter("/open vader");
    expect(fixture.prompt).toBe("vader> ");
    await fixture.chat.enter("/private yoda");
    await fixture.chat.enter("/close");
    expect(fixture.prompt).toBe("parley> ");
  });

  it("does not change where other commands send", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    await fixture.chat.enter("private yoda");
    await fixture.chat.enter("/message leia in the open");
    expect(fixture.sent.map(({ text }) => text)).toEqual(["in the open"]);
    expect(fixture.prompt).toBe("yoda (private, direct)> ");
  });
});

describe("the status", () => {
  it("shows the mark of the last own line, and that the peer is typing", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    await fixture.chat.enter("private yoda");
    const marks = { type: "marks", username: "yoda" } as const;
    await says(fixture, "yoda", "hi", { mine: true });
    expect(fixture.status).toContain("last: sent");
    await fixture.chat.takePrivate({ ...marks, received: 1n, read: 0n });
    expect(fixture.status).toContain("last: delivered");
    await fixture.chat.takePrivate({ ...marks, received: 1n, read: 1n });
    expect(fixture.status).toContain("last: read");
    await fixture.chat.takePrivate({ type: "typing", username: "yoda", typing: true });
    expect(fixture.status).toContain("typing");
    await says(fixture, "yoda", "there it is");
    expect(fixture.status).not.toContain("typing");
  });

  it("of a conversation with the same user does not show it", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    await fixture.chat.enter("open yoda");
    await says(fixture, "yoda", "hi", { mine: true });
    await fixture.chat.takePrivate({ type: "typing", username: "yoda", typing: true });
    expect(fixture.status).not.toContain("typing");
  });

  it("is not changed by own typing, of which the peer is notified", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    await fixture.chat.enter("private yoda");
    fixture.privates.done.length = 0;
    fixture.chat.edited("h");
    fixture.chat.edited("/wh");
    expect(fixture.privates.done).toEqual(["types to yoda", "ceases to type to yoda"]);
    expect(fixture.typed).toEqual([]);
  });
});

describe("unread lines", () => {
  it("are those that arrived while the chat was not open; Alt-a opens it first and marks them as read", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    fixture.chat.focus(true);
    await fixture.chat.take(fixture.entry("yoda", "not so private"));
    await says(fixture, "yoda", "hi");
    await says(fixture, "yoda", "hi again", { number: 2n });
    expect(fixture.status).toContain("unread: yoda (private) 2, yoda 1 (Alt-a)");
    expect(fixture.privates.done).toEqual([]);
    await fixture.chat.openNextUnread();
    expect(fixture.prompt).toBe("yoda (private, direct)> ");
    expect(fixture.privates.done).toEqual(["read yoda"]);
    expect(fixture.status).not.toContain("yoda (private)");
    await fixture.chat.openNextUnread();
    expect(fixture.prompt).toBe("yoda> ");
  });

  it("are read when the user answers without opening the chat", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    await says(fixture, "yoda", "hi");
    expect(fixture.status).toContain("unread: yoda (private) 1");
    await fixture.chat.enter("/private yoda hello");
    expect(fixture.privates.done).toContain("read yoda");
    expect(fixture.status).not.toContain("unread");
  });

  it("of the open chat are read when the terminal has the focus", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    await fixture.chat.enter("private yoda");
    fixture.privates.done.length = 0;
    fixture.chat.focus(false);
    await says(fixture, "yoda", "hi");
    expect([fixture.privates.done, fixture.bells]).toEqual([[], 1]);
    fixture.chat.focus(true);
    expect(fixture.privates.done).toEqual(["read yoda"]);
    await says(fixture, "yoda", "hi again", { number: 2n });
    expect([fixture.privates.done, fixture.bells]).toEqual([["read yoda", "read yoda"], 1]);
  });

  it("do not exist in plain lines, where every line is read", async () => {
    const fixture = await live({ plain: true });
    await opens(fixture, "yoda");
    await says(fixture, "yoda", "hi");
    expect(fixture.privates.done).toEqual(["read yoda"]);
  });
});

// A private chat that is open: its marks on prompt and lines, what is unread, who types, how far the other one is.
import { describe, expect, it } from "vitest";
import { newKeys } from "./played-chats.ts";
import { changedKeys, opens, says } from "./private-events.ts";
import { live } from "./stage.ts";

describe("when it opens", () => {
  it.each([
    ["direct", "straight from device to device"],
    ["relayed", "through the server, which cannot read it"],
  ] as const)("says by which way: %s", async (path, words) => {
    const stage = await live();
    await opens(stage, "yoda", { path });
    expect(stage.shown()).toEqual([`14:00 · Private chat with yoda: ${words}. /private yoda opens it.`]);
  });

  it("says how to make sure who it is, the first time", async () => {
    const stage = await live();
    await opens(stage, "yoda", { judgement: newKeys });
    expect(stage.shown()[1]).toBe(
      "14:00 · It is the first one on this device: /verify yoda shows how to make sure that it is yoda.",
    );
  });

  it.each([
    [changedKeys, "WARNING: the identity key of yoda is another one than before"],
    [{ ...newKeys, problem: "unsigned" }, "WARNING: the identity key of yoda does not vouch for this device"],
  ] as const)("warns of keys that are not as expected", async (judgement, words) => {
    const stage = await live();
    await opens(stage, "yoda", { judgement });
    expect(stage.shown().slice(1)).toEqual([expect.stringContaining(words)]);
  });

  it("takes no line that is being typed for somebody else", async () => {
    const stage = await live();
    await stage.chat.enter("open leia");
    await opens(stage, "yoda");
    expect(stage.prompt).toBe("leia> ");
    await stage.chat.enter("to leia");
    expect(stage.sent.map(({ text }) => text)).toEqual(["to leia"]);
    expect(stage.privates.said).toEqual([]);
  });
});

describe("lines", () => {
  it("are marked in both directions, at a screen", async () => {
    const stage = await live();
    await opens(stage, "yoda");
    stage.shown();
    await says(stage, "yoda", "hi");
    await says(stage, "yoda", "hello", { mine: true });
    expect(stage.shown()).toEqual(["14:00 yoda → you (private): hi", "14:00 luke → yoda (private): hello"]);
  });

  it("are marked and safe in plain lines", async () => {
    const stage = await live({ plain: true });
    await opens(stage, "yoda");
    stage.shown();
    await says(stage, "yoda", "hi\nluke: \u{1b}[31m");
    expect(stage.shown()).toEqual(["yoda (private): hi\n  luke: ␛[31m"]);
  });

  it("that this program cannot read are told of", async () => {
    const stage = await live();
    await opens(stage, "yoda");
    stage.shown();
    await says(stage, "yoda", "", { content: { kind: "unknown" } });
    expect(stage.shown()).toEqual([expect.stringContaining("this program is too old to show")]);
  });

  it("go to that one alone, verbatim, while it is open, and count as activity", async () => {
    const stage = await live();
    await opens(stage, "yoda");
    await stage.chat.enter("private yoda");
    const before = stage.activity;
    await stage.chat.enter("  two  spaces ");
    await stage.chat.enter("//shrug");
    expect(stage.privates.said).toEqual([
      { to: "yoda", text: "  two  spaces " },
      { to: "yoda", text: "/shrug" },
    ]);
    expect(stage.sent).toEqual([]);
    expect(stage.activity).toBe(before + 2);
  });

  it("wait for room in plain lines, but not for ever, and never at a screen", async () => {
    const room = Promise.withResolvers<void>();
    const plain = await live({ plain: true });
    const screen = await live();
    for (const stage of [plain, screen]) {
      stage.privates.hasRoom = room.promise;
      await opens(stage, "yoda");
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

  it("go by /private USER to any number of people, whatever is open", async () => {
    const stage = await live();
    await opens(stage, "yoda");
    await opens(stage, "leia", { path: "relayed" });
    await stage.chat.enter("open vader");
    await stage.chat.enter("/private yoda  one ");
    await stage.chat.enter("/private leia two");
    await stage.chat.enter("three");
    expect(stage.privates.said).toEqual([
      { to: "yoda", text: " one " },
      { to: "leia", text: "two" },
    ]);
    expect(stage.sent.map(({ target, text }) => [target, text])).toEqual([
      [{ kind: "user", username: "vader" }, "three"],
    ]);
  });
});

describe("the prompt", () => {
  it("names the one, and the way, in place of the conversation that was open", async () => {
    const stage = await live();
    await opens(stage, "yoda");
    await opens(stage, "leia", { path: "relayed" });
    await stage.chat.enter("open vader");
    await stage.chat.enter("/private yoda");
    expect(stage.prompt).toBe("yoda (private, direct)> ");
    await stage.chat.enter("/private leia");
    expect(stage.prompt).toBe("leia (private, relayed)> ");
    await stage.chat.enter("/open vader");
    expect(stage.prompt).toBe("vader> ");
    await stage.chat.enter("/private yoda");
    await stage.chat.enter("/close");
    expect(stage.prompt).toBe("parley> ");
  });

  it("leaves the other commands as they are", async () => {
    const stage = await live();
    await opens(stage, "yoda");
    await stage.chat.enter("private yoda");
    await stage.chat.enter("/message leia in the open");
    expect(stage.sent.map(({ text }) => text)).toEqual(["in the open"]);
    expect(stage.prompt).toBe("yoda (private, direct)> ");
  });
});

describe("the status", () => {
  it("tells how far the own lines are, and who types", async () => {
    const stage = await live();
    await opens(stage, "yoda");
    await stage.chat.enter("private yoda");
    const marks = { type: "marks", username: "yoda" } as const;
    await says(stage, "yoda", "hi", { mine: true });
    expect(stage.status).toContain("last: sent");
    await stage.chat.takePrivate({ ...marks, received: 1n, read: 0n });
    expect(stage.status).toContain("last: delivered");
    await stage.chat.takePrivate({ ...marks, received: 1n, read: 1n });
    expect(stage.status).toContain("last: read");
    await stage.chat.takePrivate({ type: "typing", username: "yoda", typing: true });
    expect(stage.status).toContain("typing");
    await says(stage, "yoda", "there it is");
    expect(stage.status).not.toContain("typing");
  });

  it("of another conversation knows nothing of it", async () => {
    const stage = await live();
    await opens(stage, "yoda");
    await stage.chat.enter("open yoda");
    await says(stage, "yoda", "hi", { mine: true });
    await stage.chat.takePrivate({ type: "typing", username: "yoda", typing: true });
    expect(stage.status).not.toContain("typing");
  });

  it("tells the other one what the person types, and no longer when the chat is left", async () => {
    const stage = await live();
    await opens(stage, "yoda");
    await stage.chat.enter("private yoda");
    stage.privates.done.length = 0;
    stage.chat.edited("h");
    stage.chat.edited("/wh");
    expect(stage.privates.done).toEqual(["types to yoda", "ceases to type to yoda"]);
    expect(stage.typed).toEqual([]);
  });
});

describe("what is unread", () => {
  it("is what came while it was not open; Alt-a opens it before any other, and that is told", async () => {
    const stage = await live();
    await opens(stage, "yoda");
    stage.chat.focus(true);
    await stage.chat.take(stage.entry("yoda", "not so private"));
    await says(stage, "yoda", "hi");
    await says(stage, "yoda", "hi again", { number: 2n });
    expect(stage.status).toContain("unread: yoda (private) 2, yoda 1 (Alt-a)");
    expect(stage.privates.done).toEqual([]);
    await stage.chat.openNextUnread();
    expect(stage.prompt).toBe("yoda (private, direct)> ");
    expect(stage.privates.done).toEqual(["read yoda"]);
    expect(stage.status).not.toContain("yoda (private)");
    await stage.chat.openNextUnread();
    expect(stage.prompt).toBe("yoda> ");
  });

  it("is nothing of what stands there open, once it is looked at", async () => {
    const stage = await live();
    await opens(stage, "yoda");
    await stage.chat.enter("private yoda");
    stage.privates.done.length = 0;
    stage.chat.focus(false);
    await says(stage, "yoda", "hi");
    expect([stage.privates.done, stage.bells]).toEqual([[], 1]);
    stage.chat.focus(true);
    expect(stage.privates.done).toEqual(["read yoda"]);
    await says(stage, "yoda", "hi again", { number: 2n });
    expect([stage.privates.done, stage.bells]).toEqual([["read yoda", "read yoda"], 1]);
  });

  it("is nothing in plain lines, where all is seen", async () => {
    const stage = await live({ plain: true });
    await opens(stage, "yoda");
    await says(stage, "yoda", "hi");
    expect(stage.privates.done).toEqual(["read yoda"]);
  });
});

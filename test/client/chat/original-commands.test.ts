// The original's commands in the chat, blocks, and /help.
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { Event } from "../../../gen/parley/chat/v1/event.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { Fixture, live, user } from "./fixture.ts";

const raw: Event = { kind: undefined };

describe("the original's commands", () => {
  it("list names, and confirm a block", async () => {
    const fixture = await live({ plain: true });
    fixture.shown();
    for (const line of ["whoelse", "/whoelsesince 99999999999999999999", "blocks"])
      await fixture.chat.enter(line);
    expect(fixture.shown()).toEqual(["leia", "vader", "leia", "vader", "vader"]);
    await fixture.chat.enter("block vader");
    await fixture.chat.enter("unblock vader");
    await fixture.chat.enter("block nobody");
    expect(fixture.shown()).toEqual([
      "vader is blocked: you receive no messages from vader. To undo: /unblock vader",
      "vader is no longer blocked.",
      "Error: /block nobody: There is no user of that name.",
    ]);
    expect(fixture.blocked).toEqual(["block vader", "unblock vader"]);
    await fixture.chat.enter("logins");
    expect(fixture.shown()).toEqual([
      "2026-03-01 14:00:00  wrong password, 2 times since 2026-03-01 14:00:00  from 10.0.0.7, desk (d1), parley 1",
    ]);
  });

  it.each([
    "whoelse now",
    "whoelsesince",
    "whoelsesince -1",
    "whoelsesince 1.5",
    "whoelsesince x",
    "whoelsesince 1 2",
    "block",
    "block yoda vader",
    "unblock",
    "message yoda",
    "message",
    "broadcast",
    "logout now",
    "logins many",
  ])("reject %j in one line, and do nothing", async (line) => {
    const fixture = await live({ plain: true });
    fixture.shown();
    await fixture.chat.enter(line);
    expect(fixture.shown()).toEqual([expect.stringMatching(/^Error: /)]);
    expect([fixture.sent, fixture.blocked, fixture.left, fixture.activity]).toEqual([[], [], [], 0]);
  });

  it("are reported as activity if they succeed and the server does not see them", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    await fixture.chat.enter("/help");
    expect(fixture.activity).toBe(2);
    await fixture.chat.enter("/nonsense");
    await fixture.chat.enter("/open");
    await fixture.chat.enter("/open nobody");
    await fixture.chat.enter("logout");
    await fixture.chat.enter("hello");
    // The server sees these, or refuses them.
    for (const line of ["/whoelse", "/block vader", "/history 3", "/logins", "/message leia hi"])
      await fixture.chat.enter(line);
    fixture.chat.edited("hel");
    fixture.chat.complete("hel");
    await fixture.chat.take(fixture.entry("yoda", "hi"));
    await fixture.chat.take(fixture.entry("leia", "hi"));
    expect(fixture.activity).toBe(2);
    await fixture.chat.openNextUnread();
    expect(fixture.activity).toBe(3);
    await fixture.chat.openNextUnread();
    expect(fixture.activity).toBe(3);
  });

  it("make calls that count as activity; calls of the chat itself do not", async () => {
    const fixture = new Fixture();
    fixture.before("leia", ["one", "two"], 1);
    fixture.moreOnline = true;
    await fixture.connect(["yoda"]);
    expect(fixture.asked.splice(0)).toEqual([
      "background users",
      "background conversations",
      "background messages",
    ]);
    await fixture.chat.enter("open leia");
    await fixture.chat.enter("/message nobody hi");
    expect(fixture.asked.splice(0)).toEqual(["background messages"]);
    for (const line of ["/history 5", "/who", "/whoelse", "/whoelsesince 9"]) await fixture.chat.enter(line);
    expect(fixture.asked).toEqual(["messages", "users", "users", "users"]);
  });

  it.each([
    ["whoelsesinc 10", "whoelsesince"],
    ["logoutxyz", "logout"],
    ["WHOELSE", "whoelse"],
    ["Block vader", "block"],
    ["blok vader", "block"],
  ])("do not include %j: the closest name is suggested, and nothing is done", async (line, name) => {
    const fixture = await live();
    await fixture.chat.enter(line);
    expect(fixture.shown()).toEqual([`Error: Unknown command ${line.split(" ")[0]}. Did you mean /${name}?`]);
    expect([fixture.left, fixture.blocked, fixture.asked.includes("users"), fixture.activity]).toEqual([
      [],
      [],
      false,
      0,
    ]);
  });

  it.each(["block", "unblock", "open", "history", "message"])(
    "make no call for a name of %s that is too long, and do not show it",
    async (command) => {
      const fixture = await live();
      fixture.asked.splice(0);
      await fixture.chat.enter(`${command} ${"v".repeat(65_536)} hi`.replace(/(?<!^message .*) hi$/, ""));
      expect(fixture.shown()).toEqual(["Error: There is no user of that name."]);
      expect([fixture.sent, fixture.blocked, fixture.asked]).toEqual([[], [], []]);
    },
  );

  it("shorten an unknown command in the error", async () => {
    const fixture = await live();
    await fixture.chat.enter(`/${"x".repeat(65_536)}`);
    expect(fixture.shown().map((line) => line.length < 120)).toEqual([true]);
  });
});

describe("blocks", () => {
  it("are reported to the sender, whose message stays undelivered", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    await fixture.chat.enter("hello");
    await fixture.ack(0);
    const conversationId = fixture.idOf("yoda");
    const marker = { conversationId, user: user("yoda"), mine: false, raw, deliveredSeq: 1n, readSeq: 1n };
    const undelivered = [{ fromSeq: 1n, toSeq: 1n }];
    await fixture.chat.take({ type: "markers", ...marker, undelivered });
    expect(fixture.status).toContain("last: sent");
    fixture.shown();
    const error = new RpcError({
      code: status.PERMISSION_DENIED,
      reason: "BLOCKED_BY_RECIPIENT",
      message: "That user has blocked you.",
    });
    await fixture.chat.enter("are you there?");
    const sent = fixture.sent[1];
    if (sent === undefined) throw new Error("nothing was sent");
    const content = { kind: "text", text: sent.text } as const;
    const { id: clientMessageId, target } = sent;
    await fixture.chat.take({ type: "refused", clientMessageId, target, content, error, raw });
    expect(fixture.shown().at(-1)).toBe("Error: Not sent to yoda: yoda has blocked you. “are you there?”");
  });

  it("from before the start affect only the mark of the messages that they hide", async () => {
    const fixture = new Fixture();
    const missed = [
      fixture.entry("luke", "hidden", { to: "yoda", live: false }),
      fixture.entry("luke", "arrived", { to: "leia", live: false }),
    ];
    const undelivered = [{ fromSeq: 1n, toSeq: 1n }];
    fixture.undelivered.set("yoda", undelivered);
    await fixture.connect(["yoda", "leia"], missed);
    await fixture.chat.enter("open leia");
    expect(fixture.status).toContain("last: delivered");
    await fixture.chat.enter("/open yoda");
    expect(fixture.status).toContain("last: sent");
    await fixture.chat.enter("once more");
    await fixture.ack(0);
    const marker = { conversationId: fixture.idOf("yoda"), user: user("yoda"), mine: false, raw };
    await fixture.chat.take({ type: "markers", ...marker, deliveredSeq: 2n, readSeq: 0n, undelivered });
    expect(fixture.status).toContain("last: delivered");
  });

  it("are reported in one line, without names if a broadcast does not reach all users", async () => {
    const fixture = await live();
    await fixture.chat.enter("broadcast hear me");
    await fixture.ack(0, { withheld: true });
    expect(fixture.shown()).toEqual([
      "14:00 luke → everyone: hear me",
      "14:00 · Some users did not receive it, because they have blocked you.",
    ]);
  });
});

describe("help", () => {
  it("lists every command of the table in rows that fit 80 columns", async () => {
    const fixture = await live();
    await fixture.chat.enter("help");
    const lines = fixture.shown();
    for (const { name } of fixture.chat.commands)
      expect(lines.some((line) => line.startsWith(`  /${name}`))).toBe(true);
    expect(
      Math.max(...lines.filter((line) => line.startsWith("  /")).map((line) => line.length)),
    ).toBeLessThanOrEqual(79);
    // The summaries begin in one column that fits a narrow window.
    expect(lines[0]?.indexOf("start")).toBeLessThanOrEqual(23);
    await fixture.chat.enter("help /msg");
    expect(fixture.shown()[0]).toMatch(/^ {2}\/message USER TEXT: /);
  });
});

// The original's commands in the chat, blocks among them, and the list that names them all.
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { Event } from "../../../gen/parley/chat/v1/event.ts";
import { RpcError } from "../../../rpc/status.ts";
import { live, Stage, user } from "./stage.ts";

const raw: Event = { kind: undefined };

describe("the original's commands", () => {
  it("answer by names, and say what became of a block", async () => {
    const stage = await live({ plain: true });
    stage.shown();
    for (const line of ["whoelse", "/whoelsesince 99999999999999999999", "blocks"])
      await stage.chat.enter(line);
    expect(stage.shown()).toEqual(["leia", "vader", "leia", "vader", "vader"]);
    await stage.chat.enter("block vader");
    await stage.chat.enter("unblock vader");
    await stage.chat.enter("block nobody");
    expect(stage.shown()).toEqual([
      "vader is blocked: nothing from there reaches you. Nobody is told.",
      "vader is not blocked any more.",
      "Error: There is no user of that name.",
    ]);
    expect(stage.blocked).toEqual(["block vader", "unblock vader"]);
    await stage.chat.enter("logins");
    expect(stage.shown()).toEqual([
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
  ])("refuse %j in one line, and do nothing", async (line) => {
    const stage = await live({ plain: true });
    stage.shown();
    await stage.chat.enter(line);
    expect(stage.shown()).toEqual([expect.stringMatching(/^Error: /)]);
    expect([stage.sent, stage.blocked, stage.left, stage.activity]).toEqual([[], [], [], 0]);
  });

  it("are a person's activity where they are understood, and nothing else is", async () => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    await stage.chat.enter("/help");
    expect(stage.activity).toBe(2);
    await stage.chat.enter("/nonsense");
    await stage.chat.enter("/open");
    await stage.chat.enter("/open nobody");
    await stage.chat.enter("logout");
    await stage.chat.enter("hello");
    // The server sees these by itself, or sees that they are refused.
    for (const line of ["/whoelse", "/block vader", "/history 3", "/logins", "/message leia hi"])
      await stage.chat.enter(line);
    stage.chat.edited("hel");
    stage.chat.complete("hel");
    await stage.chat.take(stage.entry("yoda", "hi"));
    await stage.chat.take(stage.entry("leia", "hi"));
    expect(stage.activity).toBe(2);
    await stage.chat.openNextUnread();
    expect(stage.activity).toBe(3);
    await stage.chat.openNextUnread();
    expect(stage.activity).toBe(3);
  });

  it("are asked on a person's account, and what the chat itself wants to know is not", async () => {
    const stage = new Stage();
    stage.before("leia", ["one", "two"], 1);
    stage.moreOnline = true;
    await stage.connect(["yoda"]);
    expect(stage.asked.splice(0)).toEqual([
      "background users",
      "background conversations",
      "background messages",
    ]);
    await stage.chat.enter("open leia");
    await stage.chat.enter("/message nobody hi");
    expect(stage.asked.splice(0)).toEqual(["background messages", "background messages"]);
    for (const line of ["/history 5", "/who", "/whoelse", "/whoelsesince 9"]) await stage.chat.enter(line);
    expect(stage.asked).toEqual(["messages", "users", "users", "users"]);
  });

  it.each([
    ["whoelsesinc 10", "whoelsesince"],
    ["logoutxyz", "logout"],
    ["WHOELSE", "whoelse"],
    ["Block vader", "block"],
    ["blok vader", "block"],
  ])("are not %j: the closest name is told, and nothing is done", async (line, name) => {
    const stage = await live();
    await stage.chat.enter(line);
    expect(stage.shown()).toEqual([
      `Error: Nothing was sent: no conversation is open. Did you mean /${name}?`,
    ]);
    expect([stage.left, stage.blocked, stage.asked.includes("users"), stage.activity]).toEqual([
      [],
      [],
      false,
      0,
    ]);
  });

  it.each(["block", "unblock", "open", "history", "message"])(
    "do not ask the server about a name of %s that nobody can have, and do not show it",
    async (command) => {
      const stage = await live();
      stage.asked.splice(0);
      await stage.chat.enter(`${command} ${"v".repeat(65_536)} hi`.replace(/(?<!^message .*) hi$/, ""));
      expect(stage.shown()).toEqual(["Error: There is no user of that name."]);
      expect([stage.sent, stage.blocked, stage.asked]).toEqual([[], [], []]);
    },
  );

  it("do not fill the screen with a word that is none of them", async () => {
    const stage = await live();
    await stage.chat.enter(`/${"x".repeat(65_536)}`);
    expect(stage.shown().map((line) => line.length < 120)).toEqual([true]);
  });
});

describe("blocks", () => {
  it("that keep a message away are told to its sender, and it is never delivered", async () => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    await stage.chat.enter("hello");
    await stage.ack(0);
    const conversationId = stage.idOf("yoda");
    const marker = { conversationId, user: user("yoda"), mine: false, raw, deliveredSeq: 1n, readSeq: 1n };
    const undelivered = [{ fromSeq: 1n, toSeq: 1n }];
    await stage.chat.take({ type: "markers", ...marker, undelivered });
    expect(stage.status).toContain("last: sent");
    stage.shown();
    const error = new RpcError({
      code: status.PERMISSION_DENIED,
      reason: "BLOCKED_BY_RECIPIENT",
      message: "That user has blocked you.",
    });
    await stage.chat.enter("are you there?");
    const sent = stage.sent[1];
    if (sent === undefined) throw new Error("nothing was sent");
    const content = { kind: "text", text: sent.text } as const;
    const { id: clientMessageId, target } = sent;
    await stage.chat.take({ type: "refused", clientMessageId, target, content, error, raw });
    expect(stage.shown().at(-1)).toBe("Error: Not sent to yoda: yoda has blocked you. “are you there?”");
  });

  it("that were there before keep the mark of what they hide, and of nothing else", async () => {
    const stage = new Stage();
    const missed = [
      stage.entry("luke", "hidden", { to: "yoda", live: false }),
      stage.entry("luke", "arrived", { to: "leia", live: false }),
    ];
    const undelivered = [{ fromSeq: 1n, toSeq: 1n }];
    stage.undelivered.set("yoda", undelivered);
    await stage.connect(["yoda", "leia"], missed);
    await stage.chat.enter("open leia");
    expect(stage.status).toContain("last: delivered");
    await stage.chat.enter("/open yoda");
    expect(stage.status).toContain("last: sent");
    await stage.chat.enter("once more");
    await stage.ack(0);
    const marker = { conversationId: stage.idOf("yoda"), user: user("yoda"), mine: false, raw };
    await stage.chat.take({ type: "markers", ...marker, deliveredSeq: 2n, readSeq: 0n, undelivered });
    expect(stage.status).toContain("last: delivered");
  });

  it("are told of in one line, without a name, where a broadcast does not reach all", async () => {
    const stage = await live();
    await stage.chat.enter("broadcast hear me");
    stage.shown();
    await stage.ack(0, { withheld: true });
    expect(stage.shown()).toEqual(["14:00 · Some people did not get it: they have blocked you."]);
  });
});

describe("help", () => {
  it("comes from the table, whose rows fit 80 columns", async () => {
    const stage = await live();
    await stage.chat.enter("help");
    const lines = stage.shown();
    for (const { name } of stage.chat.commands)
      expect(lines.some((line) => line.startsWith(`  /${name}`))).toBe(true);
    expect(
      Math.max(...lines.filter((line) => line.startsWith("  /")).map((line) => line.length)),
    ).toBeLessThanOrEqual(79);
    // In a narrow window too, the summaries stand below each other.
    expect(lines[0]?.indexOf("start")).toBeLessThanOrEqual(23);
    await stage.chat.enter("help /msg");
    expect(stage.shown()[0]).toMatch(/^ {2}\/message USER TEXT: /);
  });
});

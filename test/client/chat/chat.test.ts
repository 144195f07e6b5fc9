// The chat without its display: incoming and outgoing messages, presence and the connection.
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { personBackoff } from "../../../client/cli/chat/lifecycle/run-linked.ts";
import { promptOf, statusOf } from "../../../client/cli/chat/screen/render-status.ts";
import { layOut } from "../../../client/cli/terminal/display/edit-layout.ts";
import { Backoff } from "../../../client/link/server/backoff.ts";
import type { Event } from "../../../gen/parley/chat/v1/event.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { Fixture, live, user } from "./fixture.ts";

const raw: Event = { kind: undefined };

describe("incoming messages", () => {
  it("are counted up to 1000 unread ones, and a plus stands for more", async () => {
    const fixture = await live();
    for (let number = 1; number <= 1_000; number++) await fixture.chat.take(fixture.entry("yoda", "hi"));
    expect(fixture.status).toContain("unread: yoda 1000 (Alt-a)");
    await fixture.chat.take(fixture.entry("yoda", "hi"));
    expect(fixture.status).toContain("unread: yoda 1000+ (Alt-a)");
    await fixture.chat.openNextUnread();
    expect(fixture.status).not.toContain("unread");
    await fixture.chat.enter("/close");
    await fixture.chat.take(fixture.entry("yoda", "hi"));
    expect(fixture.status).toContain("unread: yoda 1 (Alt-a)");
  });

  it("name sender and recipient unless their conversation is open", async () => {
    const fixture = await live();
    await fixture.chat.take(fixture.entry("yoda", "one"));
    await fixture.chat.enter("open yoda");
    fixture.shown();
    await fixture.chat.take(fixture.entry("yoda", "two"));
    await fixture.chat.take(fixture.entry("leia", "three"));
    await fixture.chat.take(fixture.entry("luke", "from my other device"));
    await fixture.chat.take(fixture.entry("luke", "there too", { to: "leia" }));
    await fixture.chat.take(fixture.entry("vader", "all of you", { kind: "broadcast" }));
    expect(fixture.shown()).toEqual([
      "14:00 yoda: two",
      "14:00 leia → you: three",
      "14:00 luke: from my other device",
      "14:00 luke → leia: there too",
      "14:00 vader → everyone: all of you",
    ]);
  });

  it("are unread until their conversation is opened", async () => {
    const fixture = await live();
    await fixture.chat.take(fixture.entry("yoda", "one"));
    await fixture.chat.take(fixture.entry("yoda", "two"));
    expect(fixture.status).toBe("unread: yoda 2 (Alt-a) · 1 other online");
    expect(fixture.read).toEqual([]);
    await fixture.chat.openNextUnread();
    expect(fixture.prompt).toBe("yoda> ");
    expect(fixture.read).toEqual([{ conversationId: fixture.idOf("yoda"), seq: 2n }]);
    expect(fixture.status).toBe("yoda is online");
    await fixture.chat.openNextUnread();
    expect(fixture.shown().at(-1)).toBe("14:00 · There are no unread messages.");
  });

  it("are read when shown in the open conversation of a focused terminal, or when it gains the focus", async () => {
    const fixture = await live();
    await fixture.chat.take(fixture.entry("yoda", "one"));
    await fixture.chat.enter("open yoda");
    await fixture.chat.take(fixture.entry("yoda", "two"));
    expect(fixture.read.at(-1)?.seq).toBe(2n);
    fixture.chat.focus(false);
    await fixture.chat.take(fixture.entry("yoda", "three"));
    expect(fixture.read.at(-1)?.seq).toBe(2n);
    fixture.chat.focus(true);
    expect(fixture.read.at(-1)?.seq).toBe(3n);
  });

  it("ring the bell and are counted in the title while the terminal has no focus, if they are direct", async () => {
    const fixture = await live();
    fixture.chat.focus(true);
    await fixture.chat.take(fixture.entry("yoda", "seen"));
    expect([fixture.bells, fixture.title]).toEqual([0, "parley"]);
    fixture.chat.focus(false);
    await fixture.chat.take(fixture.entry("yoda", "unseen"));
    await fixture.chat.take(fixture.entry("vader", "to all", { kind: "broadcast" }));
    expect([fixture.bells, fixture.title]).toEqual([1, "(1) parley"]);
    fixture.chat.focus(true);
    expect(fixture.title).toBe("parley");
  });

  it("ring once when they arrive together", async () => {
    const fixture = await live();
    fixture.chat.focus(false);
    for (let index = 0; index < 20; index++) await fixture.chat.take(fixture.entry("yoda", "unseen"));
    expect([fixture.bells, fixture.title]).toEqual([1, "(20) parley"]);
  });

  it("never ring, or ring for broadcasts too, by the bell setting", async () => {
    const never = await live({ bell: "never" });
    const all = await live({ bell: "all" });
    for (const fixture of [never, all]) {
      fixture.chat.focus(false);
      await fixture.chat.take(fixture.entry("yoda", "unseen"));
      fixture.clock.advance(1_000);
      await fixture.chat.take(fixture.entry("vader", "to all", { kind: "broadcast" }));
    }
    expect([never.bells, all.bells]).toEqual([0, 2]);
  });

  it("ring on a terminal without focus reports only when nothing was entered for a while", async () => {
    const fixture = await live();
    await fixture.chat.enter("open leia");
    await fixture.chat.take(fixture.entry("yoda", "one"));
    expect(fixture.bells).toBe(0);
    fixture.clock.advance(61_000);
    await fixture.chat.take(fixture.entry("yoda", "two"));
    expect(fixture.bells).toBe(1);
  });

  it("are no longer unread when another device has read them", async () => {
    const fixture = await live();
    await fixture.chat.take(fixture.entry("yoda", "one"));
    await fixture.chat.take(fixture.entry("yoda", "two"));
    const conversationId = fixture.idOf("yoda");
    const marker = { conversationId, user: user("luke"), mine: true, deliveredSeq: 1n, readSeq: 1n, raw };
    await fixture.chat.take({ type: "markers", ...marker, undelivered: [] });
    expect(fixture.status).toContain("unread: yoda 1");
  });

  it("may be announced by a typing notification, which expires after 10 s", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    await fixture.chat.take({ type: "typing", conversationId: "", user: user("yoda"), typing: true, raw });
    expect(fixture.status).toContain("typing…");
    fixture.clock.advance(10_000);
    expect(fixture.status).not.toContain("typing…");
  });
});

describe("outgoing messages", () => {
  it("are shown when they are stored, with their mark in the status line", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    await fixture.chat.enter("hello");
    expect(fixture.shown()).toEqual([]);
    await fixture.ack(0);
    expect(fixture.shown()).toEqual(["14:00 luke: hello"]);
    expect(fixture.status).toBe("last: sent · yoda is online");
    const conversationId = fixture.idOf("yoda");
    const marker = { conversationId, user: user("yoda"), mine: false, undelivered: [], raw };
    await fixture.chat.take({ type: "markers", ...marker, deliveredSeq: 1n, readSeq: 0n });
    expect(fixture.status).toContain("last: delivered");
    await fixture.chat.take({ type: "markers", ...marker, deliveredSeq: 1n, readSeq: 1n });
    expect(fixture.status).toContain("last: read");
    expect(fixture.shown()).toEqual([]);
  });

  it("are shown as waiting if the answer takes half a second, or the screen ends before it", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    await fixture.chat.enter("one");
    await fixture.chat.enter("two");
    fixture.clock.advance(499);
    expect(fixture.shown()).toEqual([]);
    fixture.clock.advance(1);
    const waiting = ["14:00 luke: one  (waiting)", "14:00 luke: two  (waiting)"];
    expect(fixture.shown()).toEqual(waiting);
    await fixture.ack(0);
    await fixture.ack(1);
    expect(fixture.shown()).toEqual(["14:00 · The 2 waiting messages have been sent."]);
    await fixture.chat.enter("three");
    fixture.chat.showRest();
    expect(fixture.shown()).toEqual(["14:00 luke: three  (waiting)"]);
  });

  it("are shown as waiting without a connection, and reported once when all have been sent", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    await fixture.disconnect();
    await fixture.chat.enter("one");
    await fixture.chat.enter("two");
    expect(fixture.shown()).toEqual(["14:00 luke: one  (waiting)", "14:00 luke: two  (waiting)"]);
    expect(fixture.status).toBe("2 waiting, reconnecting in 3 s · Enter: now");
    await fixture.connect(["yoda"]);
    await fixture.ack(0);
    await fixture.ack(1);
    expect(fixture.shown()).toEqual(["14:00 · The 2 waiting messages have been sent."]);
  });

  it("are counted in the status line even in a window of 40 columns", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    await fixture.disconnect();
    await fixture.chat.enter("one");
    const shownAt = (columns: number): string => {
      const status = statusOf(fixture.chat.status, fixture.now);
      const content = { prompt: promptOf(fixture.chat.status), units: [], cursor: 0, status };
      return layOut(content, { columns, rows: 24 }, 0).area.rows.at(-1)?.plain ?? "";
    };
    expect(shownAt(40)).toBe("1 waiting, reconnecting in 3 s");
    expect(shownAt(80)).toBe("1 waiting, reconnecting in 3 s · Enter: now");
  });

  it("Enter tries to connect at once, with a text or without; a script does not", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    await fixture.chat.enter("");
    expect(fixture.retries).toBe(0);
    await fixture.disconnect();
    await fixture.chat.enter("");
    expect([fixture.retries, fixture.sent.length]).toEqual([1, 0]);
    await fixture.chat.enter("queued");
    expect([fixture.retries, fixture.sent.length]).toEqual([2, 1]);
    using script = new Fixture({ plain: true });
    await script.connect();
    await script.disconnect();
    await script.chat.enter("");
    expect(script.retries).toBe(0);
  });

  it("wait at most 5 seconds for the next attempt of a program with a person", () => {
    const backoff = new Backoff({ ...personBackoff, random: () => 0.999_999 });
    expect(Math.max(...Array.from({ length: 20 }, () => backoff.next()))).toBeLessThanOrEqual(5_000);
  });

  it("are shown once when the ack is lost with the connection and the entry arrives first", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    await fixture.chat.enter("only once");
    await fixture.disconnect();
    const echo = fixture.entry("luke", "only once", { live: false });
    await fixture.connect(["yoda"], [echo]);
    await fixture.ack(0, { seq: echo.seq, entryShown: true });
    expect(fixture.shown().filter((line) => line.includes("only once"))).toEqual([
      "14:00 luke: only once  (waiting)",
    ]);
  });

  it("do not hide an equal message from another device", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    await fixture.chat.enter("same");
    const other = fixture.entry("luke", "same");
    await fixture.chat.take(other);
    await fixture.ack(0);
    expect(fixture.shown()).toEqual(["14:00 luke: same", "14:00 luke: same"]);
  });

  it("of an earlier run are shown when they are sent", async () => {
    const fixture = await live();
    fixture.sent.push({ id: 7n, target: { kind: "user", username: "yoda" }, text: "from before" });
    await fixture.ack(0);
    expect(fixture.shown()).toEqual(["14:00 luke → yoda: from before"]);
  });

  it.each([
    ["is blocked by the recipient", "BLOCKED_BY_RECIPIENT", "nobody has blocked you."],
    ["has no recipient", "USER_NOT_FOUND", "There is no user of that name."],
  ])(
    "that %s are not shown as sent; the refusal has the reason and the text",
    async (_name, reason, words) => {
      const fixture = await live({ users: ["nobody"] });
      await fixture.chat.enter("message nobody hi there");
      const error = new RpcError({
        code: status.NOT_FOUND,
        reason,
        message: "There is no user of that name.",
      });
      const target = { kind: "user", username: "nobody" } as const;
      const content = { kind: "text", text: "hi there" } as const;
      const clientMessageId = fixture.sent[0]?.id;
      await fixture.chat.take({ type: "refused", clientMessageId, target, content, error, raw });
      fixture.clock.advance(1_000);
      expect(fixture.shown()).toEqual([`Error: Not sent to nobody: ${words} “hi there”`]);
    },
  );

  it("show a refused command that is no message, except a typing signal to a removed user", async () => {
    const fixture = await live();
    for (const reason of ["USER_NOT_FOUND", "INVALID_FIELD"]) {
      const error = new RpcError({ code: status.NOT_FOUND, reason, message: `This is ${reason}.` });
      const send = { clientMessageId: undefined, target: undefined, content: undefined };
      await fixture.chat.take({ type: "refused", ...send, error, raw });
    }
    expect(fixture.shown()).toEqual(["Error: The server refused a request: This is INVALID_FIELD."]);
  });

  it("are not sent if the recipient is the user or the text is too long", async () => {
    const fixture = new Fixture();
    const others = {
      maxRequestBytes: 0,
      maxCommandsPerRequest: 0,
      maxCursors: 0,
      maxStreamsPerSession: 0,
      idleTimeout: undefined,
      maxCallsPerSecond: 100,
      maxOnlineSessions: 8,
    };
    fixture.limits = { maxContentBytes: 100, ...others };
    await fixture.connect(["yoda"]);
    fixture.shown();
    await fixture.chat.enter("message luke to myself");
    await fixture.chat.enter("open yoda");
    await fixture.chat.enter("é".repeat(50));
    expect(fixture.sent).toEqual([]);
    await fixture.chat.enter("é".repeat(49));
    expect(fixture.sent).toHaveLength(1);
    expect(fixture.shown()).toEqual([
      "Error: Not sent to luke: that is you. “to myself”",
      "Error: Not sent to yoda: the text has 100 bytes, and this server accepts at most 98.",
    ]);
  });

  it("mark the messages above them as read", async () => {
    const fixture = await live();
    await fixture.chat.take(fixture.entry("yoda", "one"));
    await fixture.chat.enter("message yoda two");
    await fixture.ack(0);
    expect(fixture.read.at(-1)).toEqual({ conversationId: fixture.idOf("yoda"), seq: 2n });
    expect(fixture.status).not.toContain("unread");
  });

  it("that are too old are listed for a decision, which /outbox carries out", async () => {
    const fixture = await live();
    const old = [fixture.unsent(5n, "yoda", "old one"), fixture.unsent(6n, "leia", "old two")];
    fixture.held.push(...old);
    await fixture.chat.take({ type: "held-back", messages: old });
    expect(fixture.shown()).toEqual([
      "2 messages were not sent within an hour. Choose whether to send:",
      "  5: Sun 2026-03-01 12:00 to yoda: old one",
      "  6: Sun 2026-03-01 12:00 to leia: old two",
      '/outbox send ID sends a message, /outbox drop ID discards it; ID can be "all".',
    ]);
    await fixture.chat.enter("outbox send 5");
    expect(fixture.released).toEqual([5n]);
    await fixture.chat.enter("outbox drop 9");
    await fixture.chat.enter("outbox drop 5");
    await fixture.chat.enter("outbox");
    expect(fixture.shown()).toEqual([
      "  Sending 1 message.",
      "Error: The outbox has no message 9. /outbox lists its messages.",
      "  1 message dropped.",
      "  The outbox is empty.",
    ]);
  });
});

// The chat's behaviour, apart from paint: what is shown of what arrives and is sent, of people and of the connection.
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { Event } from "../../../gen/parley/chat/v1/event.ts";
import { RpcError } from "../../../rpc/status.ts";
import { live, Stage, user } from "./stage.ts";

const raw: Event = { kind: undefined };

describe("what arrives", () => {
  it("is told with who and whom unless its conversation is open", async () => {
    const stage = await live();
    await stage.chat.take(stage.entry("yoda", "one"));
    await stage.chat.enter("open yoda");
    stage.shown();
    await stage.chat.take(stage.entry("yoda", "two"));
    await stage.chat.take(stage.entry("leia", "three"));
    await stage.chat.take(stage.entry("luke", "from my other device"));
    await stage.chat.take(stage.entry("luke", "there too", { to: "leia" }));
    await stage.chat.take(stage.entry("vader", "all of you", { kind: "broadcast" }));
    expect(stage.shown()).toEqual([
      "14:00 yoda: two",
      "14:00 leia → you: three",
      "14:00 luke: from my other device",
      "14:00 luke → leia: there too",
      "14:00 vader → everyone: all of you",
    ]);
  });

  it("is unread until its conversation is opened", async () => {
    const stage = await live();
    await stage.chat.take(stage.entry("yoda", "one"));
    await stage.chat.take(stage.entry("yoda", "two"));
    expect(stage.status).toBe("unread: yoda 2 (Alt-a) · 1 other online");
    expect(stage.read).toEqual([]);
    await stage.chat.openNextUnread();
    expect(stage.prompt).toBe("yoda> ");
    expect(stage.read).toEqual([{ conversationId: stage.idOf("yoda"), seq: 2n }]);
    expect(stage.status).toBe("yoda is online");
    await stage.chat.openNextUnread();
    expect(stage.shown().at(-1)).toBe("14:00 · Nothing is unread.");
  });

  it("is read when it is shown in the open conversation of a focused terminal, and else once it has the focus", async () => {
    const stage = await live();
    await stage.chat.take(stage.entry("yoda", "one"));
    await stage.chat.enter("open yoda");
    await stage.chat.take(stage.entry("yoda", "two"));
    expect(stage.read.at(-1)?.seq).toBe(2n);
    stage.chat.focus(false);
    await stage.chat.take(stage.entry("yoda", "three"));
    expect(stage.read.at(-1)?.seq).toBe(2n);
    stage.chat.focus(true);
    expect(stage.read.at(-1)?.seq).toBe(3n);
  });

  it("rings and counts direct messages while nobody looks", async () => {
    const stage = await live();
    stage.chat.focus(true);
    await stage.chat.take(stage.entry("yoda", "seen"));
    expect([stage.bells, stage.title]).toEqual([0, "parley"]);
    stage.chat.focus(false);
    await stage.chat.take(stage.entry("yoda", "unseen"));
    await stage.chat.take(stage.entry("vader", "to all", { kind: "broadcast" }));
    expect([stage.bells, stage.title]).toEqual([1, "(1) parley"]);
    stage.chat.focus(true);
    expect(stage.title).toBe("parley");
  });

  it("rings once for what comes together", async () => {
    const stage = await live();
    stage.chat.focus(false);
    for (let index = 0; index < 20; index++) await stage.chat.take(stage.entry("yoda", "unseen"));
    expect([stage.bells, stage.title]).toEqual([1, "(20) parley"]);
  });

  it("rings never, or for broadcasts too, where the person said so", async () => {
    const never = await live({ bell: "never" });
    const all = await live({ bell: "all" });
    for (const stage of [never, all]) {
      stage.chat.focus(false);
      await stage.chat.take(stage.entry("yoda", "unseen"));
      stage.clock.advance(1_000);
      await stage.chat.take(stage.entry("vader", "to all", { kind: "broadcast" }));
    }
    expect([never.bells, all.bells]).toEqual([0, 2]);
  });

  it("rings on a terminal that tells no focus only when nothing was entered for a while", async () => {
    const stage = await live();
    await stage.chat.enter("open leia");
    await stage.chat.take(stage.entry("yoda", "one"));
    expect(stage.bells).toBe(0);
    stage.clock.advance(61_000);
    await stage.chat.take(stage.entry("yoda", "two"));
    expect(stage.bells).toBe(1);
  });

  it("forgets unread messages that another device read", async () => {
    const stage = await live();
    await stage.chat.take(stage.entry("yoda", "one"));
    await stage.chat.take(stage.entry("yoda", "two"));
    const conversationId = stage.idOf("yoda");
    const marker = { conversationId, user: user("luke"), mine: true, deliveredSeq: 1n, readSeq: 1n, raw };
    await stage.chat.take({ type: "markers", ...marker, undelivered: [] });
    expect(stage.status).toContain("unread: yoda 1");
  });

  it("shows that the other one types, until it lapses", async () => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    await stage.chat.take({ type: "typing", conversationId: "", user: user("yoda"), typing: true, raw });
    expect(stage.status).toContain("typing…");
    stage.clock.advance(10_000);
    expect(stage.status).not.toContain("typing…");
  });
});

describe("what is sent", () => {
  it("is shown at once, with its mark below", async () => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    await stage.chat.enter("hello");
    expect(stage.shown()).toEqual(["14:00 luke: hello"]);
    await stage.ack(0);
    expect(stage.status).toBe("last: sent · yoda is online");
    const conversationId = stage.idOf("yoda");
    const marker = { conversationId, user: user("yoda"), mine: false, undelivered: [], raw };
    await stage.chat.take({ type: "markers", ...marker, deliveredSeq: 1n, readSeq: 0n });
    expect(stage.status).toContain("last: delivered");
    await stage.chat.take({ type: "markers", ...marker, deliveredSeq: 1n, readSeq: 1n });
    expect(stage.status).toContain("last: read");
    expect(stage.shown()).toEqual([]);
  });

  it("waits visibly while the connection is away, and is told of once when it is gone", async () => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    await stage.disconnect();
    await stage.chat.enter("one");
    await stage.chat.enter("two");
    expect(stage.shown()).toEqual(["14:00 luke: one  (waiting)", "14:00 luke: two  (waiting)"]);
    expect(stage.status).toBe("reconnecting in 3 s (/retry: now) · 2 waiting");
    await stage.connect(["yoda"]);
    await stage.ack(0);
    await stage.ack(1);
    expect(stage.shown()).toEqual(["14:00 · The 2 waiting messages are sent."]);
  });

  it("is shown once when its ack was lost with the connection and its entry comes first", async () => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    await stage.chat.enter("only once");
    await stage.disconnect();
    const echo = stage.entry("luke", "only once", { live: false });
    await stage.connect(["yoda"], [echo]);
    await stage.ack(0, { seq: echo.seq, entryShown: true });
    expect(stage.shown().filter((line) => line.includes("only once"))).toEqual(["14:00 luke: only once"]);
  });

  it("does not swallow the same words from another device", async () => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    await stage.chat.enter("same");
    const other = stage.entry("luke", "same");
    await stage.chat.take(other);
    await stage.ack(0);
    expect(stage.shown()).toEqual(["14:00 luke: same", "14:00 luke: same"]);
  });

  it("shows what an earlier run had queued when it goes out", async () => {
    const stage = await live();
    stage.sent.push({ id: 7n, target: { kind: "user", username: "yoda" }, text: "from before" });
    await stage.ack(0);
    expect(stage.shown()).toEqual(["14:00 luke → yoda: from before"]);
  });

  it("says why it was refused, with its text", async () => {
    const stage = await live({ users: ["nobody"] });
    await stage.chat.enter("message nobody hi there");
    stage.shown();
    const error = new RpcError({
      code: status.NOT_FOUND,
      reason: "USER_NOT_FOUND",
      message: "There is no user of that name.",
    });
    const target = { kind: "user", username: "nobody" } as const;
    const content = { kind: "text", text: "hi there" } as const;
    await stage.chat.take({
      type: "refused",
      clientMessageId: stage.sent[0]?.id,
      target,
      content,
      error,
      raw,
    });
    expect(stage.shown()).toEqual(["Error: Not sent to nobody: There is no user of that name. “hi there”"]);
  });

  it("does not stand there as said where there is no such user, or where it is too long", async () => {
    const stage = new Stage();
    const others = {
      maxRequestBytes: 0,
      maxCommandsPerRequest: 0,
      maxCursors: 0,
      maxStreamsPerSession: 0,
      idleTimeout: undefined,
    };
    stage.limits = { maxContentBytes: 100, ...others };
    await stage.connect(["yoda"]);
    stage.shown();
    await stage.chat.enter('message "yoda" quoted');
    await stage.chat.enter("open yoda");
    await stage.chat.enter("é".repeat(50));
    expect(stage.sent).toEqual([]);
    await stage.chat.enter("é".repeat(49));
    expect(stage.sent).toHaveLength(1);
    expect(stage.shown()).toEqual([
      'Error: Not sent: there is no user "yoda". “quoted”',
      "Error: Not sent to yoda: the text has 100 bytes, and this server takes at most 98.",
      `14:00 luke: ${"é".repeat(49)}`,
    ]);
  });

  it("counts as having read what it answers", async () => {
    const stage = await live();
    await stage.chat.take(stage.entry("yoda", "one"));
    await stage.chat.enter("message yoda two");
    await stage.ack(0);
    expect(stage.read.at(-1)).toEqual({ conversationId: stage.idOf("yoda"), seq: 2n });
    expect(stage.status).not.toContain("unread");
  });

  it("asks by a line about what is too old, and does as /outbox says", async () => {
    const stage = await live();
    const old = [stage.unsent(5n, "yoda", "old one"), stage.unsent(6n, "leia", "old two")];
    stage.held.push(...old);
    await stage.chat.take({ type: "held-back", messages: old });
    expect(stage.shown()).toEqual([
      "2 messages were not sent for over an hour; they wait for your decision:",
      "  5: Sun 2026-03-01 12:00 to yoda: old one",
      "  6: Sun 2026-03-01 12:00 to leia: old two",
      "/outbox send ID sends one, /outbox drop ID forgets it; all means all of them.",
    ]);
    await stage.chat.enter("outbox send 5");
    expect(stage.released).toEqual([5n]);
    await stage.chat.enter("outbox drop 9");
    await stage.chat.enter("outbox drop 5");
    await stage.chat.enter("outbox");
    expect(stage.shown()).toEqual([
      "  1 message on the way.",
      "Error: No message 9 waits for an answer. /outbox lists those that do.",
      "  1 message dropped.",
      "  Nothing waits in the outbox.",
    ]);
  });
});

describe("people", () => {
  it("come and go in one line for what happens together, and in none for a moment's absence", async () => {
    const stage = await live();
    const cameOnline = ["a", "b", "c"].map(user);
    await stage.chat.take({ type: "presence", cameOnline, wentOffline: [], raw });
    await stage.chat.take({ type: "presence", cameOnline: [user("d")], wentOffline: [user("yoda")], raw });
    await stage.chat.take({ type: "presence", cameOnline: [user("yoda")], wentOffline: [], raw });
    expect(stage.shown()).toEqual([]);
    stage.clock.advance(500);
    expect(stage.shown()).toEqual(["14:00 · a, b, c and d came online"]);
  });

  it("are the others: nobody is told of oneself", async () => {
    const stage = new Stage();
    await stage.connect(["luke", "yoda"]);
    expect(stage.shown()[0]).toBe("Connected to server:1 as luke; online: yoda.");
    await stage.chat.take({ type: "presence", cameOnline: [user("luke")], wentOffline: [], raw });
    stage.clock.advance(500);
    expect(stage.shown().slice(1)).toEqual([]);
  });

  it("are counted where they are many", async () => {
    const stage = await live();
    const cameOnline = Array.from({ length: 40 }, (_, index) => user(`u${String(index).padStart(2, "0")}`));
    await stage.chat.take({ type: "presence", cameOnline, wentOffline: [], raw });
    stage.clock.advance(500);
    expect(stage.shown()).toEqual([
      "14:00 · u00, u01, u02, u03, u04, u05, u06, u07 and 32 others came online",
    ]);
  });

  it("who were there before and after a lost connection are not told of", async () => {
    const stage = await live({}, ["yoda", "leia"]);
    await stage.disconnect();
    await stage.connect([]);
    await stage.chat.take({ type: "presence", cameOnline: [user("yoda")], wentOffline: [], raw });
    stage.clock.advance(12_000);
    expect(stage.shown().filter((line) => line.includes("line"))).toEqual(["14:00 · leia went offline"]);
  });

  it("are listed by who", async () => {
    const stage = await live();
    await stage.chat.enter("who");
    expect(stage.shown()).toEqual(["  leia  online", "  vader  was here 5 min ago"]);
    await stage.chat.enter("who soon");
    expect(stage.shown()).toEqual([expect.stringMatching(/^Error: "soon" is no span of time/)]);
  });
});

describe("the connection", () => {
  it("is told of in two lines, however often it is tried", async () => {
    const stage = await live();
    for (let attempt = 0; attempt < 5; attempt++) {
      await stage.disconnect();
      stage.clock.advance(2_000);
      const state = { phase: "connecting", attempt } as const;
      stage.state = state;
      await stage.chat.take({ type: "state", state });
    }
    await stage.connect(["yoda"]);
    expect(stage.shown()).toEqual([
      "14:00 · The connection to server:1 is lost (Connection dropped). What you send is kept until it is back.",
      "14:00 · Connected again.",
    ]);
  });

  it("is not worth a word when it is back at once", async () => {
    const stage = await live();
    await stage.disconnect();
    await stage.connect(["yoda"]);
    stage.clock.advance(60_000);
    expect(stage.shown()).toEqual([]);
  });

  it("that is away does not stop a conversation from being opened", async () => {
    const stage = await live();
    await stage.disconnect(
      new RpcError({ code: status.UNAVAILABLE, reason: "SERVER_STOPPING", message: "The server stops." }),
    );
    stage.clock.advance(2_000);
    await stage.chat.enter("open leia");
    expect(stage.shown()).toEqual([
      "14:00 · The connection to server:1 is lost (the server is stopping). What you send is kept until it is back.",
      "14:00 · Cannot check yet whether leia exists; what you write waits.",
    ]);
    expect(stage.prompt).toBe("leia> ");
    await stage.chat.enter("/who");
    expect(stage.shown().at(-1)).toBe("Error: lost");
  });
});

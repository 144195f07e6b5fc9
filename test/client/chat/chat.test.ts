// The chat's behaviour, apart from paint: where lines go, what is shown, what counts as read.

import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { Event } from "../../../gen/parley/chat/v1/event.ts";
import { RpcError } from "../../../rpc/status.ts";
import { Stage, user } from "./stage.ts";

const raw: Event = { kind: undefined };

async function live(options: ConstructorParameters<typeof Stage>[0] = {}, online = ["yoda"]): Promise<Stage> {
  const stage = new Stage(options);
  await stage.connect(online);
  stage.shown();
  return stage;
}

describe("where a line goes", () => {
  it("is a command while no conversation is open, with or without a slash", async () => {
    const stage = await live();
    expect(stage.prompt).toBe("parley> ");
    await stage.chat.enter("open yoda");
    expect(stage.prompt).toBe("yoda> ");
    await stage.chat.enter("/close");
    await stage.chat.enter("/open leia");
    expect(stage.prompt).toBe("leia> ");
    expect(stage.sent).toEqual([]);
  });

  it("is a message, verbatim, while one is open", async () => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    for (const text of ['  two  spaces \\ "quotes" ', "close to me", "who?", "a\nb"])
      await stage.chat.enter(text);
    expect(stage.sent.map(({ text }) => text)).toEqual([
      '  two  spaces \\ "quotes" ',
      "close to me",
      "who?",
      "a\nb",
    ]);
    expect(stage.sent[0]?.target).toEqual({ kind: "user", username: "yoda" });
    expect(stage.left).toEqual([]);
  });

  it("sends /word for //word, and never an unknown /word", async () => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    stage.shown();
    await stage.chat.enter("//shrug");
    await stage.chat.enter("/shrug");
    await stage.chat.enter("/opn leia");
    expect(stage.sent.map(({ text }) => text)).toEqual(["/shrug"]);
    expect(stage.shown().slice(1)).toEqual([
      "Error: There is no command /shrug. /help lists the commands.",
      "Error: There is no command /opn. Did you mean /open?",
    ]);
  });

  it.each(["quit", "exit", "logout", "help "])("asks before it sends %j alone", async (line) => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    stage.shown();
    await stage.chat.enter(line);
    expect(stage.shown()).toEqual([
      `14:00 · That would go to yoda. Enter again sends it; Tab runs /${line.trim()}.`,
    ]);
    expect([stage.sent, stage.left, stage.putBack]).toEqual([[], [], line]);
    await stage.chat.enter("/who");
    await stage.chat.enter(line);
    expect(stage.sent).toEqual([]);
    await stage.chat.enter(line);
    expect(stage.sent.map(({ text }) => text)).toEqual([line]);
    await stage.chat.enter(`${line} now then`);
    expect(stage.sent).toHaveLength(2);
  });

  it.each([
    "message luke hi",
    "broadcast hear me",
    "block vader",
    "whoelsesince 200",
    "history 20",
    "history yoda 20",
    "outbox drop 4",
    "help block",
    "private luke meet me at nine",
    "Private luke meet me at nine",
    "startprivate luke",
    "stopprivate luke",
  ])("asks before it sends %j, which would be a command", async (line) => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    await stage.chat.enter(line);
    expect([stage.sent, stage.blocked, stage.putBack]).toEqual([[], [], line]);
    await stage.chat.enter(line);
    expect(stage.sent.map(({ text }) => text)).toEqual([line]);
  });

  it.each([
    "message luke",
    "block the door, please",
    "who cares",
    "whoelsesince yesterday",
    "history is written by the winners",
    "help me",
    "open the door",
    "private matters",
    "logoutxyz",
    "Logout",
    "Block vader",
  ])("sends %j, which no command can be", async (line) => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    await stage.chat.enter(line);
    expect(stage.sent.map(({ text }) => text)).toEqual([line]);
  });

  it("runs a line in doubt at Tab, and no more once it was changed", async () => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    await stage.chat.enter("block vader");
    expect(stage.chat.complete("block va", "block vader")).toBe("run");
    await stage.chat.run("block vader");
    expect([stage.sent, stage.blocked]).toEqual([[], ["block vader"]]);
    expect(stage.chat.complete("block vader")).not.toBe("run");
    await stage.chat.enter("unblock vader");
    stage.chat.edited("unblock vade");
    stage.chat.edited("unblock vader");
    expect(stage.chat.complete("unblock vader")).not.toBe("run");
    await stage.chat.enter("unblock vader");
    expect([stage.sent, stage.blocked]).toEqual([[], ["block vader"]]);
    await stage.chat.enter("private leia tell nobody");
    stage.shown();
    await stage.chat.run("private leia tell nobody");
    expect(stage.shown()).toEqual([
      "Error: No private chat with leia is open. /startprivate leia asks for one.",
    ]);
    expect(stage.sent).toEqual([]);
  });

  it("asks anew where another conversation was opened since, by whatever key", async () => {
    const stage = await live();
    await stage.chat.take(stage.entry("leia", "are you there?"));
    await stage.chat.enter("open yoda");
    await stage.chat.enter("logout");
    await stage.chat.openNextUnread();
    expect(stage.prompt).toBe("leia> ");
    expect(stage.chat.complete("logout")).not.toBe("run");
    await stage.chat.enter("logout");
    expect(stage.sent).toEqual([]);
  });

  it("takes no line that was typed ahead for an answer", async () => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    const isSure = stage.chat.isInDoubt("logout");
    await stage.chat.enter("logout", isSure);
    await stage.chat.enter("logout", isSure);
    expect(stage.sent).toEqual([]);
    await stage.chat.enter("logout", stage.chat.isInDoubt("logout"));
    expect(stage.sent).toHaveLength(1);
  });

  it("names a line in doubt that cannot be put back, as something else is being typed", async () => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    stage.shown();
    stage.isTyping = true;
    await stage.chat.enter("block vader");
    expect(stage.shown()).toEqual([
      "14:00 · Not sent to yoda, since /block is a command: “block vader”. Up brings it back.",
    ]);
    expect(stage.chat.isInDoubt("block vader")).toBe(false);
    expect([stage.sent, stage.blocked]).toEqual([[], []]);
  });

  it("asks a person who types whole lines, and sends the line when it comes again", async () => {
    const stage = await live({ plain: true, isTyped: true });
    await stage.chat.enter("open yoda");
    stage.shown();
    await stage.chat.enter("block vader");
    expect(stage.shown()).toEqual([
      "That would go to yoda. The same line again sends it; /block is the command.",
    ]);
    expect(stage.chat.complete("block vader")).not.toBe("run");
    const sending = stage.chat.enter("block vader");
    await stage.ack(0);
    await sending;
    expect([stage.sent.map(({ text }) => text), stage.blocked]).toEqual([["block vader"], []]);
    await stage.chat.enter("unblock vader");
    await stage.chat.enter("/unblock vader");
    expect([stage.sent.length, stage.blocked]).toEqual([1, ["unblock vader"]]);
  });

  it("sends a line in doubt from a script, which cannot be asked", async () => {
    const stage = await live({ plain: true });
    await stage.chat.enter("open yoda");
    const sending = stage.chat.enter("logout");
    await stage.ack(0);
    await sending;
    expect(stage.sent.map(({ text }) => text)).toEqual(["logout"]);
  });

  it("sends whatever is no command with a slash from plain lines", async () => {
    const stage = await live({ plain: true });
    await stage.chat.enter("open yoda");
    for (const line of ["quit", "logout", "help"]) void stage.chat.enter(line);
    expect(stage.sent.map(({ text }) => text)).toEqual(["quit", "logout", "help"]);
  });

  it("says that nothing was sent where a message was typed and no conversation is open", async () => {
    const stage = await live();
    await stage.chat.enter("well, hello");
    expect(stage.shown()).toEqual([
      "Error: Nothing was sent: no conversation is open. /open USER opens one.",
    ]);
  });

  it("tells who is written to that a message is being typed, and when no longer", async () => {
    const stage = await live();
    stage.chat.edited("open yo");
    await stage.chat.enter("open yoda");
    for (const text of ["h", "hi", "/", "/wh", "//", "//s", ""]) stage.chat.edited(text);
    expect(stage.typed).toEqual([
      "yoda true",
      "yoda true",
      "yoda false",
      "yoda true",
      "yoda true",
      "yoda false",
    ]);
  });

  it("matches commands as whole words only", async () => {
    const stage = await live();
    await stage.chat.enter("logoutxyz");
    await stage.chat.enter("whoever");
    expect(stage.left).toEqual([]);
    expect(stage.shown()).toHaveLength(2);
  });

  it("ignores blank lines", async () => {
    const stage = await live();
    await stage.chat.enter("open yoda");
    await stage.chat.enter("   ");
    await stage.chat.enter("");
    expect(stage.sent).toEqual([]);
  });

  it("takes the text of message and broadcast verbatim, whatever is open", async () => {
    const stage = await live();
    await stage.chat.enter("message yoda  two  spaces /close ");
    await stage.chat.enter("open leia");
    await stage.chat.enter("/broadcast to \\ all");
    expect(stage.sent.map(({ target, text }) => ({ target, text }))).toEqual([
      { target: { kind: "user", username: "yoda" }, text: " two  spaces /close " },
      { target: { kind: "broadcast" }, text: "to \\ all" },
    ]);
    expect(stage.shown()).toContain("14:00 luke → everyone: to \\ all");
  });

  it.each([
    "message",
    "message yoda",
    "message yoda  ",
    "broadcast",
    "open",
    "open a b",
    "close x",
    "outbox send",
    "history a 0",
  ])("answers %j with its usage", async (line) => {
    const stage = await live();
    await stage.chat.enter(line);
    expect(stage.shown()).toEqual([expect.stringMatching(/^Error: usage: \//)]);
    expect(stage.sent).toEqual([]);
  });

  it("opens nobody who does not exist, nor oneself", async () => {
    const stage = await live();
    await stage.chat.enter("open nobody");
    await stage.chat.enter("open luke");
    expect(stage.prompt).toBe("parley> ");
    expect(stage.shown()).toEqual(["Error: There is no user nobody.", "Error: That is you."]);
    await stage.chat.enter("open yoda");
    await stage.chat.enter("/open nobody");
    expect(stage.prompt).toBe("yoda> ");
    expect(stage.shown()).toEqual(["Error: There is no user nobody. Lines still go to yoda."]);
  });

  it("leaves with and without the login", async () => {
    const stage = await live();
    await stage.chat.enter("quit");
    await stage.chat.enter("logout");
    expect(stage.left).toEqual(["quit", "logout"]);
  });
});

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

describe("completion", () => {
  it("knows the commands, and user names where a command takes one", async () => {
    const stage = await live({}, ["yoda", "yolanda"]);
    await stage.chat.take(stage.entry("leia", "hi"));
    expect(stage.chat.complete("o")).toEqual({ from: 0, candidates: ["open", "outbox"] });
    expect(stage.chat.complete("/o")).toEqual({ from: 0, candidates: ["/open", "/outbox"] });
    expect(stage.chat.complete("open ")).toEqual({ from: 5, candidates: ["leia", "yoda", "yolanda"] });
    expect(stage.chat.complete("message YO")).toEqual({ from: 8, candidates: ["yoda", "yolanda"] });
    expect(stage.chat.complete("help c")).toEqual({ from: 5, candidates: ["close"] });
    expect(stage.chat.complete("who ")).toBeUndefined();
  });

  it("knows those one has talked with, online or not", async () => {
    const stage = new Stage();
    stage.before("leia", ["hi"], 1);
    stage.entry("luke", "hello", { to: "vader" });
    await stage.connect(["yoda"]);
    expect(stage.chat.complete("open ")).toMatchObject({ candidates: ["leia", "vader", "yoda"] });
  });

  it("completes begun names, not commands, in a message", async () => {
    const stage = await live({}, ["yoda"]);
    await stage.chat.enter("open yoda");
    expect(stage.chat.complete("o")).toMatchObject({ candidates: [] });
    expect(stage.chat.complete("ask yo")).toEqual({ from: 4, candidates: ["yoda"] });
    expect(stage.chat.complete("ask ")).toBeUndefined();
    expect(stage.chat.complete("/cl")).toEqual({ from: 0, candidates: ["/close"] });
  });
});

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

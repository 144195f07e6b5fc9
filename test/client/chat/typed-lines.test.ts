// Where a line goes that a person enters: a message, a command, or a question which of the two; and what Tab offers.
import { describe, expect, it } from "vitest";
import { live, Stage } from "./stage.ts";

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

// Entered lines: which are messages, which are commands, when the user is asked, and what Tab completes.
import { describe, expect, it } from "vitest";
import { live } from "./fixture.ts";

describe("an entered line", () => {
  it("is a command while no conversation is open, with or without a slash", async () => {
    const fixture = await live();
    expect(fixture.prompt).toBe("parley> ");
    await fixture.chat.enter("open yoda");
    expect(fixture.prompt).toBe("yoda> ");
    await fixture.chat.enter("/close");
    await fixture.chat.enter("/open leia");
    expect(fixture.prompt).toBe("leia> ");
    expect(fixture.sent).toEqual([]);
  });

  it("is a message, verbatim, while one is open", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    for (const text of ['  two  spaces \\ "quotes" ', "close to me", "who?", "a\nb"])
      await fixture.chat.enter(text);
    expect(fixture.sent.map(({ text }) => text)).toEqual([
      '  two  spaces \\ "quotes" ',
      "close to me",
      "who?",
      "a\nb",
    ]);
    expect(fixture.sent[0]?.target).toEqual({ kind: "user", username: "yoda" });
    expect(fixture.left).toEqual([]);
  });

  it("with //word sends /word, and with an unknown /word sends nothing", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    fixture.shown();
    await fixture.chat.enter("//shrug");
    await fixture.chat.enter("/shrug");
    await fixture.chat.enter("/opn leia");
    expect(fixture.sent.map(({ text }) => text)).toEqual(["/shrug"]);
    expect(fixture.shown()).toEqual([
      "Error: Unknown command /shrug. /help lists the commands.",
      "Error: Unknown command /opn. Did you mean /open?",
    ]);
  });

  it.each(["quit", "exit", "logout", "help "])("%j alone is sent only after a question", async (line) => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    fixture.shown();
    await fixture.chat.enter(line);
    expect(fixture.shown()).toEqual([
      `14:00 · Not sent yet: ${line.trim()} is a command. Press Enter again to send it to yoda, or Tab to run /${line.trim()}.`,
    ]);
    expect([fixture.sent, fixture.left, fixture.putBack]).toEqual([[], [], line]);
    await fixture.chat.enter("/who");
    await fixture.chat.enter(line);
    expect(fixture.sent).toEqual([]);
    await fixture.chat.enter(line);
    expect(fixture.sent.map(({ text }) => text)).toEqual([line]);
    await fixture.chat.enter(`${line} now then`);
    expect(fixture.sent).toHaveLength(2);
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
  ])("%j, which may be meant as a command, is sent only after a question", async (line) => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    await fixture.chat.enter(line);
    expect([fixture.sent, fixture.blocked, fixture.putBack]).toEqual([[], [], line]);
    await fixture.chat.enter(line);
    expect(fixture.sent.map(({ text }) => text)).toEqual([line]);
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
  ])("%j, which no command matches, is sent", async (line) => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    await fixture.chat.enter(line);
    expect(fixture.sent.map(({ text }) => text)).toEqual([line]);
  });

  it("in doubt is run by Tab, until it is changed", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    await fixture.chat.enter("block vader");
    expect(fixture.chat.complete("block va", "block vader")).toBe("run");
    await fixture.chat.run("block vader");
    expect([fixture.sent, fixture.blocked]).toEqual([[], ["block vader"]]);
    expect(fixture.chat.complete("block vader")).not.toBe("run");
    await fixture.chat.enter("unblock vader");
    fixture.chat.edited("unblock vade");
    fixture.chat.edited("unblock vader");
    expect(fixture.chat.complete("unblock vader")).not.toBe("run");
    await fixture.chat.enter("unblock vader");
    expect([fixture.sent, fixture.blocked]).toEqual([[], ["block vader"]]);
    await fixture.chat.enter("private leia tell nobody");
    fixture.shown();
    await fixture.chat.run("private leia tell nobody");
    expect(fixture.shown()).toEqual([
      "Error: No private chat with leia is open. To ask for one: /startprivate leia",
    ]);
    expect(fixture.sent).toEqual([]);
  });

  it("in doubt is asked about again after another conversation was opened", async () => {
    const fixture = await live();
    await fixture.chat.take(fixture.entry("leia", "are you there?"));
    await fixture.chat.enter("open yoda");
    await fixture.chat.enter("logout");
    await fixture.chat.openNextUnread();
    expect(fixture.prompt).toBe("leia> ");
    expect(fixture.chat.complete("logout")).not.toBe("run");
    await fixture.chat.enter("logout");
    expect(fixture.sent).toEqual([]);
  });

  it("typed before the question does not answer it", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    const isSure = fixture.chat.isInDoubt("logout");
    await fixture.chat.enter("logout", isSure);
    await fixture.chat.enter("logout", isSure);
    expect(fixture.sent).toEqual([]);
    await fixture.chat.enter("logout", fixture.chat.isInDoubt("logout"));
    expect(fixture.sent).toHaveLength(1);
  });

  it("in doubt is quoted if the user is typing something else, so that it cannot be put back", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    fixture.shown();
    fixture.isTyping = true;
    await fixture.chat.enter("block vader");
    expect(fixture.shown()).toEqual([
      "14:00 · Not sent to yoda: block is a command. “block vader” Press Up to get the line back.",
    ]);
    expect(fixture.chat.isInDoubt("block vader")).toBe(false);
    expect([fixture.sent, fixture.blocked]).toEqual([[], []]);
  });

  it("in doubt is asked about in plain lines at a terminal, and sent when it is entered again", async () => {
    const fixture = await live({ plain: true, isTyped: true });
    await fixture.chat.enter("open yoda");
    fixture.shown();
    await fixture.chat.enter("block vader");
    expect(fixture.shown()).toEqual([
      "Not sent yet: block is a command. Enter the line again to send it to yoda, or type /block.",
    ]);
    expect(fixture.chat.complete("block vader")).not.toBe("run");
    const sending = fixture.chat.enter("block vader");
    await fixture.ack(0);
    await sending;
    expect([fixture.sent.map(({ text }) => text), fixture.blocked]).toEqual([["block vader"], []]);
    await fixture.chat.enter("unblock vader");
    await fixture.chat.enter("/unblock vader");
    expect([fixture.sent.length, fixture.blocked]).toEqual([1, ["unblock vader"]]);
  });

  it("in doubt is sent if a script enters it", async () => {
    const fixture = await live({ plain: true });
    await fixture.chat.enter("open yoda");
    const sending = fixture.chat.enter("logout");
    await fixture.ack(0);
    await sending;
    expect(fixture.sent.map(({ text }) => text)).toEqual(["logout"]);
  });

  it("without a slash is sent in plain lines while a conversation is open", async () => {
    const fixture = await live({ plain: true });
    await fixture.chat.enter("open yoda");
    for (const line of ["quit", "logout", "help"]) void fixture.chat.enter(line);
    expect(fixture.sent.map(({ text }) => text)).toEqual(["quit", "logout", "help"]);
  });

  it("that looks like a message is an error while no conversation is open", async () => {
    const fixture = await live();
    await fixture.chat.enter("well, hello");
    expect(fixture.shown()).toEqual([
      "Error: Unknown command well,. Nothing was sent, because no conversation is open: /open USER opens one.",
    ]);
  });

  it.each([
    ["who", undefined, true],
    ["foo", undefined, true],
    ["hello there", "yoda", false],
    ["/who", "yoda", true],
    ["/nonsense", "yoda", true],
    ["//text", "yoda", false],
    ["/message leia hi", "yoda", false],
    ["", undefined, false],
  ])("%j with %s open is shown before its answer: %s", async (line, user, isEchoed) => {
    const fixture = await live();
    if (user !== undefined) await fixture.chat.enter(`open ${user}`);
    expect(fixture.chat.isEchoed(line)).toBe(isEchoed);
  });

  it("that names a user in other letters gets the name as a suggestion", async () => {
    const fixture = await live();
    for (const line of ["open Yoda", "block Yodaa"]) await fixture.chat.enter(line);
    expect(fixture.shown()).toEqual([
      "Error: There is no user Yoda. Did you mean /open yoda?",
      "Error: /block Yodaa: There is no user of that name. Did you mean yoda?",
    ]);
  });

  it("being typed notifies the user it is for, and notifies when it is no longer typed", async () => {
    const fixture = await live();
    fixture.chat.edited("open yo");
    await fixture.chat.enter("open yoda");
    for (const text of ["h", "hi", "/", "/wh", "//", "//s", ""]) fixture.chat.edited(text);
    expect(fixture.typed).toEqual([
      "yoda true",
      "yoda true",
      "yoda false",
      "yoda true",
      "yoda true",
      "yoda false",
    ]);
  });

  it("is a command only if the whole word matches", async () => {
    const fixture = await live();
    await fixture.chat.enter("logoutxyz");
    await fixture.chat.enter("whoever");
    expect(fixture.left).toEqual([]);
    expect(fixture.shown()).toHaveLength(2);
  });

  it("that is blank is ignored", async () => {
    const fixture = await live();
    await fixture.chat.enter("open yoda");
    await fixture.chat.enter("   ");
    await fixture.chat.enter("");
    expect(fixture.sent).toEqual([]);
  });

  it("with message or broadcast sends its text verbatim, whichever conversation is open", async () => {
    const fixture = await live();
    await fixture.chat.enter("message yoda  two  spaces /close ");
    await fixture.chat.enter("open leia");
    await fixture.chat.enter("/broadcast to \\ all");
    expect(fixture.sent.map(({ target, text }) => ({ target, text }))).toEqual([
      { target: { kind: "user", username: "yoda" }, text: " two  spaces /close " },
      { target: { kind: "broadcast" }, text: "to \\ all" },
    ]);
    fixture.shown();
    await fixture.ack(1);
    expect(fixture.shown()).toEqual(["14:00 luke → everyone: to \\ all"]);
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
  ])("%j is answered with the usage", async (line) => {
    const fixture = await live();
    await fixture.chat.enter(line);
    expect(fixture.shown()).toEqual([expect.stringMatching(/^Error: Usage: \//)]);
    expect(fixture.sent).toEqual([]);
  });

  it("cannot open a user who does not exist, or the user", async () => {
    const fixture = await live();
    await fixture.chat.enter("open nobody");
    await fixture.chat.enter("open luke");
    expect(fixture.prompt).toBe("parley> ");
    expect(fixture.shown()).toEqual([
      "Error: There is no user nobody.",
      "Error: You cannot chat with yourself.",
    ]);
    await fixture.chat.enter("open yoda");
    await fixture.chat.enter("/open nobody");
    expect(fixture.prompt).toBe("yoda> ");
    expect(fixture.shown()).toEqual(["Error: There is no user nobody. Lines still go to yoda."]);
  });

  it("with quit or logout leaves", async () => {
    const fixture = await live();
    await fixture.chat.enter("quit");
    await fixture.chat.enter("logout");
    expect(fixture.left).toEqual(["quit", "logout"]);
  });
});

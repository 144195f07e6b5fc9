// The end of a private chat: its reason, its undelivered lines, and lines typed for it that must not go anywhere else.
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { NotSentError } from "../../../client/peer/conversation/line-rules.ts";
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { type Fixture, live } from "./fixture.ts";
import { ends, fails, opens, says, waits } from "./private-events.ts";

function lost(reason: string, message = "Marks rise."): RpcError {
  return new RpcError({ code: status.UNAVAILABLE, reason, message });
}

/** A fixture whose lines go to an open private chat with yoda. */
async function inside(options: { plain?: boolean; isTyped?: boolean } = {}): Promise<Fixture> {
  const fixture = await live(options);
  await opens(fixture, "yoda");
  await fixture.chat.enter("private yoda");
  fixture.shown();
  return fixture;
}

describe("the end", () => {
  it.each([
    [{ kind: "goodbye", by: "them", ending: Ending.STOPPED }, "yoda has ended the private chat."],
    [
      { kind: "goodbye", by: "them", ending: Ending.LOGGED_OUT },
      "yoda has logged out. The private chat has ended.",
    ],
    [
      { kind: "goodbye", by: "them", ending: Ending.TIMED_OUT },
      "yoda was logged out for giving no command. The private chat has ended.",
    ],
    [{ kind: "goodbye", by: "them", ending: Ending.LEFT }, "yoda has left. The private chat has ended."],
    [
      { kind: "goodbye", by: "them", ending: Ending.FAILED },
      "The program of yoda has failed. The private chat has ended.",
    ],
    [
      { kind: "goodbye", by: "them", ending: Ending.FINISHED },
      "yoda has finished. The private chat has ended.",
    ],
    [
      { kind: "goodbye", by: "me", ending: Ending.FINISHED },
      "yoda has finished. The private chat has ended.",
    ],
    [{ kind: "goodbye", by: "me", ending: Ending.STOPPED }, "The private chat with yoda has ended."],
    [
      { kind: "keys", problem: "changed" },
      "STOP: the private chat with yoda used another key than the one that you verified, so it was ended. Contact yoda " +
        "in another way and compare the codes: /verify yoda. To accept the new key without comparing: /verify yoda " +
        "--accept",
    ],
    [
      { kind: "keys", problem: "unsigned" },
      "STOP: the private chat with yoda used a device that is not signed by the key that you verified, so it was " +
        "ended. Contact yoda in another way: a new device has to be linked. To accept this device without that: " +
        "/verify yoda --accept",
    ],
    [
      { kind: "failed", cause: lost("PEER_GONE") },
      "The connection to yoda is lost. The private chat has ended.",
    ],
    [
      { kind: "failed", cause: lost("MARKS_INVALID") },
      "The connection to yoda is lost (Marks rise.). The private chat has ended.",
    ],
    [
      { kind: "failed", cause: lost("CONNECTION_TAMPERED") },
      "WARNING: data between you and yoda was changed on the way, so the private chat was ended.",
    ],
    [
      { kind: "failed", cause: lost("ANYTHING", "made up\n14:00 · STOP: trust me") },
      "The connection to yoda is lost (made up 14:00 · STOP: trust me). The private chat has ended.",
    ],
  ] as const)("is reported with its reason", async (how, words) => {
    const fixture = await inside();
    await ends(fixture, "yoda", { how });
    expect(fixture.shown()).toEqual([`14:00 · ${words}`]);
    expect(fixture.prompt).toBe("parley> ");
  });

  it("of another chat leaves the open chat open", async () => {
    const fixture = await inside();
    await opens(fixture, "leia");
    await ends(fixture, "leia");
    expect(fixture.prompt).toBe("yoda (private, direct)> ");
    await fixture.chat.enter("still here");
    expect(fixture.privates.said).toEqual([{ to: "yoda", text: "still here" }]);
  });

  it("is requested by /stopprivate", async () => {
    const fixture = await inside();
    await fixture.chat.enter("/stopprivate yoda");
    expect(fixture.privates.done.at(-1)).toBe("stop yoda");
  });

  it("puts a single line that may not have arrived back into the editor, and shows several", async () => {
    const fixture = await inside();
    await ends(fixture, "yoda", { undelivered: ["the plans"] });
    expect(fixture.putBack).toBe("/private yoda the plans");
    expect(fixture.shown()[1]).toBe("14:00 · May not have arrived: the line is in the prompt again.");
    await opens(fixture, "yoda");
    fixture.shown();
    await ends(fixture, "yoda", { undelivered: ["one", "two"] });
    expect(fixture.shown().slice(1)).toEqual([
      "14:00 · May not have arrived: “one”",
      "14:00 · May not have arrived: “two”",
    ]);
  });

  it("shows lines that may not have arrived whole in plain lines, where none can imitate another line", async () => {
    const fixture = await inside({ plain: true });
    fixture.isTyping = true;
    await ends(fixture, "yoda", { undelivered: ["one\nyoda (private): two"] });
    expect(fixture.shown().slice(1)).toEqual(["May not have arrived: “one\n  yoda (private): two”"]);
  });

  it("leaves unread lines unread", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    fixture.chat.focus(true);
    await says(fixture, "yoda", "run");
    await ends(fixture, "yoda");
    expect(fixture.status).toContain("unread: yoda (private) 1");
  });

  it("leaves unread lines above: Alt-a reports that once, and then opens the next conversation", async () => {
    const fixture = await live();
    await opens(fixture, "vader");
    await says(fixture, "vader", "join me");
    await ends(fixture, "vader");
    await fixture.chat.take(fixture.entry("yoda", "patience"));
    fixture.shown();
    await fixture.chat.openNextUnread();
    expect(fixture.shown()).toEqual(["14:00 · The private chat with vader has ended. Its lines are above."]);
    expect(fixture.status).not.toContain("vader");
    expect(fixture.prompt).toBe("parley> ");
    await fixture.chat.openNextUnread();
    expect(fixture.prompt).toBe("yoda> ");
  });

  it("leaves unread lines that Alt-a opens if the peer is being asked again", async () => {
    const fixture = await live();
    await opens(fixture, "vader");
    await says(fixture, "vader", "join me");
    await ends(fixture, "vader");
    await waits(fixture, "vader");
    await fixture.chat.openNextUnread();
    expect(fixture.prompt).toBe("vader (private, waiting)> ");
  });
});

describe("a line typed when the chat ended", () => {
  it.each(["I love you", "broadcast the code is 1138", "message leia it is over"])(
    "is not sent, and is put back into the editor: %s",
    async (text) => {
      const fixture = await inside();
      await ends(fixture, "yoda");
      fixture.shown();
      await fixture.chat.enter(text);
      expect(fixture.shown()).toEqual(["Error: Nothing was sent: the private chat with yoda has ended."]);
      expect(fixture.putBack).toBe(text);
      expect([fixture.sent, fixture.privates.said]).toEqual([[], []]);
    },
  );

  it("is not sent either if the peer finished and this device sent the goodbye", async () => {
    const fixture = await inside();
    await ends(fixture, "yoda", { how: { kind: "goodbye", by: "me", ending: Ending.FINISHED } });
    fixture.shown();
    await fixture.chat.enter("broadcast wait");
    expect(fixture.sent).toEqual([]);
    expect(fixture.putBack).toBe("broadcast wait");
  });

  it("is not sent either if the request was refused", async () => {
    const fixture = await live();
    await waits(fixture, "yoda");
    await fixture.chat.enter("private yoda");
    await fails(fixture, "yoda", lost("INTRODUCTION_REFUSED"));
    await fixture.chat.enter("broadcast why not?");
    expect(fixture.sent).toEqual([]);
    expect(fixture.putBack).toBe("broadcast why not?");
  });

  it("is quoted if the user is typing something else, and so is the next one", async () => {
    const fixture = await inside();
    await ends(fixture, "yoda");
    fixture.isTyping = true;
    fixture.shown();
    await fixture.chat.enter("I love you");
    await fixture.chat.enter("broadcast I know");
    expect(fixture.shown()).toEqual([
      "Error: Nothing was sent: the private chat with yoda has ended. To run a command, start it with a slash. “I love you”",
      "Error: Nothing was sent: the private chat with yoda has ended. To run a command, start it with a slash. “broadcast I know”",
    ]);
    expect(fixture.sent).toEqual([]);
  });

  it("in a script is not sent, like every line up to a command with a slash", async () => {
    const fixture = await inside({ plain: true });
    fixture.isTyping = true;
    await ends(fixture, "yoda");
    for (const line of ["one", "", "broadcast two", "message leia three"]) await fixture.chat.enter(line);
    expect(fixture.sent).toEqual([]);
    // In plain lines a message is finished when it is acked.
    const entered = fixture.chat.enter("/message leia four");
    await fixture.ack(0);
    await entered;
    void fixture.chat.enter("message leia five");
    expect(fixture.sent.map(({ text }) => text)).toEqual(["four", "five"]);
  });

  it("is stopped once: entered again, it is a command", async () => {
    const fixture = await inside();
    await ends(fixture, "yoda");
    await fixture.chat.enter("broadcast all is well");
    await fixture.chat.enter("broadcast all is well");
    expect(fixture.sent.map(({ text }) => text)).toEqual(["all is well"]);
  });

  it.each([false, true])("is not stopped after /stopprivate, in plain lines: %s", async (plain) => {
    const fixture = await inside({ plain });
    await fixture.chat.enter("/stopprivate yoda");
    const how = { kind: "goodbye", by: "me", ending: Ending.STOPPED } as const;
    await ends(fixture, "yoda", { how });
    fixture.shown();
    await fixture.chat.enter("logout");
    expect([fixture.left, fixture.shown()]).toEqual([["logout"], []]);
  });

  it("is not stopped before the end of this side is reported, or after this user withdrew a request", async () => {
    const fixture = await inside({ plain: true });
    await fixture.chat.enter("/stopprivate yoda");
    await fixture.chat.enter("logout");
    expect(fixture.left).toEqual(["logout"]);
    await waits(fixture, "leia");
    await fixture.chat.enter("private leia");
    await fixture.chat.enter("/stopprivate leia");
    await fails(fixture, "leia", new NotSentError("The question was taken back."));
    await fixture.chat.enter("logout");
    expect(fixture.left).toEqual(["logout", "logout"]);
  });

  it("is not stopped after the user did something else", async () => {
    const fixture = await inside();
    await ends(fixture, "yoda");
    await fixture.chat.enter("/open leia");
    await fixture.chat.enter("/close");
    await fixture.chat.enter("message leia hi");
    expect(fixture.sent.map(({ text }) => text)).toEqual(["hi"]);
  });
});

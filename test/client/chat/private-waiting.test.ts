// Asking for a private chat: choosing the path, lines that wait for the answer, and requests that fail.
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { KeyProblemError } from "../../../client/peer/chats/context.ts";
import { NotSentError } from "../../../client/peer/conversation/line-rules.ts";
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { live } from "./fixture.ts";
import { answering, fails, opens, says, waits } from "./private-events.ts";

function refused(reason: string): RpcError {
  return new RpcError({ code: status.ABORTED, reason, message: "The server's words." });
}

describe("startprivate", () => {
  it("asks the user for the path first, with what each means, and sends no request yet", async () => {
    const fixture = await live();
    await fixture.chat.enter("startprivate yoda");
    expect(fixture.shown()).toEqual([
      "  Choose a path (yoda has not been asked yet):",
      "  /startprivate yoda --direct: directly from device to device; yoda will see your address.",
      "  /startprivate yoda --relay: through the server, which sees who chats and when, but cannot read it.",
    ]);
    expect(fixture.privates.done).toEqual([]);
  });

  it.each([
    ["startprivate yoda --direct", "auto", "start yoda direct"],
    ["startprivate yoda --relay", "auto", "start yoda relay"],
    ["startprivate yoda", "direct", "start yoda direct"],
    ["startprivate yoda", "relay", "start yoda relay"],
    ["startprivate yoda --relay", "direct", "start yoda relay"],
  ] as const)("%s with the setting %s does: %s", async (line, path, done) => {
    const fixture = await live({ privately: answering("ask", path) });
    await fixture.chat.enter(line);
    expect(fixture.privates.done).toEqual([done]);
    expect(fixture.shown()).toEqual([]);
  });

  it("uses the relay if the user cannot be asked", async () => {
    const fixture = await live({ plain: true });
    await fixture.chat.enter("startprivate yoda");
    expect(fixture.privates.done).toEqual(["start yoda relay"]);
  });

  it("shows how long the peer has to answer, and that lines wait", async () => {
    const fixture = await live();
    await waits(fixture, "yoda");
    expect(fixture.shown()).toEqual([
      "14:00 · yoda has been asked and has 60 s to answer. Lines that you send with /private yoda wait until then.",
    ]);
  });

  it.each([
    ["startprivate luke", undefined, "You cannot chat with yourself."],
    ["private luke psst", undefined, "You cannot chat with yourself."],
    ["private luke", undefined, "You cannot chat with yourself."],
    ["startprivate yoda --relay", refused("USER_OFFLINE"), "yoda is not online."],
    ["startprivate yoda --relay", refused("BLOCKED_BY_RECIPIENT"), "yoda has blocked you."],
    [
      "startprivate yoda --relay",
      refused("USER_NOT_FOUND"),
      "No private chat with yoda: The server's words.",
    ],
    [
      "startprivate yoda --relay",
      new NotSentError("yoda is being asked already."),
      "yoda is being asked already.",
    ],
  ])("%s can fail with a sentence", async (line, refusal, words) => {
    const fixture = await live();
    fixture.privates.refusal = refusal;
    await fixture.chat.enter(line);
    expect(fixture.shown()).toEqual([`Error: ${words}`]);
  });
});

describe("while a request has no answer", () => {
  it("a line waits, is shown as waiting, and is not shown again when it is sent", async () => {
    const fixture = await live();
    await waits(fixture, "yoda");
    fixture.shown();
    await fixture.chat.enter("private yoda the plans");
    await fixture.chat.enter("private yoda are in the droid");
    expect(fixture.shown()).toEqual([
      "14:00 luke → yoda (private): the plans  (waiting)",
      "14:00 luke → yoda (private): are in the droid  (waiting)",
    ]);
    await opens(fixture, "yoda", { outgoing: true });
    fixture.shown();
    await says(fixture, "yoda", "the plans", { mine: true });
    expect(fixture.shown()).toEqual([]);
    await says(fixture, "yoda", "are in the droid", { mine: true, number: 2n });
    expect(fixture.shown()).toEqual(["14:00 · The waiting lines were sent to yoda."]);
    await says(fixture, "yoda", "now", { mine: true, number: 3n });
    expect(fixture.shown()).toEqual(["14:00 luke → yoda (private): now"]);
  });

  it("the chat can be opened, and its prompt shows that it waits", async () => {
    const fixture = await live();
    await waits(fixture, "yoda");
    await fixture.chat.enter("private yoda");
    expect(fixture.prompt).toBe("yoda (private, waiting)> ");
    await fixture.chat.enter("quit is not a word for me");
    expect(fixture.shown().at(-1)).toContain("quit is not a word for me  (waiting)");
    await opens(fixture, "yoda", { path: "relayed" });
    expect(fixture.prompt).toBe("yoda (private, relayed)> ");
  });

  it("a single waiting line is put back into the editor when the request is refused", async () => {
    const fixture = await live();
    await waits(fixture, "yoda");
    await fixture.chat.enter("private yoda the plans");
    fixture.shown();
    await fails(fixture, "yoda", refused("INTRODUCTION_REFUSED"), ["the plans"]);
    expect(fixture.shown()).toEqual([
      "14:00 · yoda does not want a private chat now.",
      "14:00 · Not sent: the line is in the prompt again.",
    ]);
    expect(fixture.putBack).toBe("/private yoda the plans");
    expect([fixture.sent, fixture.privates.said]).toEqual([[], []]);
  });

  it("several waiting lines, or one while the user is typing, are shown whole", async () => {
    const fixture = await live();
    await waits(fixture, "yoda");
    fixture.isTyping = true;
    await fails(fixture, "yoda", refused("INTRODUCTION_UNANSWERED"), ["the plans"]);
    expect(fixture.shown().slice(1)).toEqual([
      "14:00 · yoda did not answer.",
      "14:00 · Not sent: “the plans”",
    ]);
    fixture.isTyping = false;
    await waits(fixture, "yoda");
    fixture.shown();
    const long = `a letter ${"that goes on ".repeat(20)}to its end`;
    const several = ["1", "2", "3", "4", "5", "in two\nlines", long];
    await fails(fixture, "yoda", refused("USER_OFFLINE"), several);
    expect(fixture.shown()).toEqual([
      "14:00 · yoda is not online.",
      ...several.map((text) => `14:00 · Not sent: “${text}”`),
    ]);
    expect(fixture.putBack).toBe("");
  });

  it("a line that waited for a failed request is shown again in the next chat", async () => {
    const fixture = await live();
    await waits(fixture, "yoda");
    await fixture.chat.enter("private yoda the plans");
    await fails(fixture, "yoda", refused("INTRODUCTION_REFUSED"), ["the plans"]);
    await opens(fixture, "yoda");
    fixture.shown();
    await says(fixture, "yoda", "the plans", { mine: true });
    expect(fixture.shown()).toEqual(["14:00 luke → yoda (private): the plans"]);
  });

  it.each([
    [
      new ConnectError({ kind: "timeout", message: "yoda did not come." }),
      "No private chat with yoda: yoda did not come.",
    ],
    [
      new KeyProblemError("yoda", "unsigned"),
      "STOP: The device of yoda is not signed by the identity key that you verified. Nothing was sent. Contact yoda " +
        "in another way: a new device has to be linked. To accept this device without that: /verify yoda --accept",
    ],
  ])("a failed request is reported with its reason", async (error, words) => {
    const fixture = await live();
    await waits(fixture, "yoda");
    fixture.shown();
    await fails(fixture, "yoda", error);
    expect(fixture.shown()).toEqual([`14:00 · ${words}`]);
  });

  it("/stopprivate withdraws the request", async () => {
    const fixture = await live();
    await waits(fixture, "yoda");
    await fixture.chat.enter("stopprivate yoda");
    expect(fixture.privates.done).toEqual(["stop yoda"]);
  });
});

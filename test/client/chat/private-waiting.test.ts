// Asking for a private chat: the way is chosen first, what is said meanwhile is held, and on no it is given back.
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
  it("asks for the way first, with what each means, and asks nobody", async () => {
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
  ] as const)("%s with the setting %s is: %s", async (line, path, done) => {
    const fixture = await live({ privately: answering("ask", path) });
    await fixture.chat.enter(line);
    expect(fixture.privates.done).toEqual([done]);
    expect(fixture.shown()).toEqual([]);
  });

  it("takes the relay where there is no person to ask", async () => {
    const fixture = await live({ plain: true });
    await fixture.chat.enter("startprivate yoda");
    expect(fixture.privates.done).toEqual(["start yoda relay"]);
  });

  it("says that it waits, how long, and what becomes of what is said", async () => {
    const fixture = await live();
    await waits(fixture, "yoda");
    expect(fixture.shown()).toEqual([
      "14:00 · yoda has 60 s to accept the private chat. Lines that you send with /private yoda wait until then.",
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
  ])("%s is an error in words where it has to be", async (line, refusal, words) => {
    const fixture = await live();
    fixture.privates.refusal = refusal;
    await fixture.chat.enter(line);
    expect(fixture.shown()).toEqual([`Error: ${words}`]);
  });
});

describe("while the other one is being asked", () => {
  it("a line is held, stands there as waiting, and is shown once when it is said", async () => {
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

  it("the chat can be opened, and its prompt says that it waits", async () => {
    const fixture = await live();
    await waits(fixture, "yoda");
    await fixture.chat.enter("private yoda");
    expect(fixture.prompt).toBe("yoda (private, waiting)> ");
    await fixture.chat.enter("quit is not a word for me");
    expect(fixture.shown().at(-1)).toContain("quit is not a word for me  (waiting)");
    await opens(fixture, "yoda", { path: "relayed" });
    expect(fixture.prompt).toBe("yoda (private, relayed)> ");
  });

  it("one line that was held is put back before the cursor, where no is the answer", async () => {
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

  it("is repeated whole where something else is being typed, and so are several", async () => {
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

  it("a line held for a chat that failed is shown anew in the next one", async () => {
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
  ])("says why none came about", async (error, words) => {
    const fixture = await live();
    await waits(fixture, "yoda");
    fixture.shown();
    await fails(fixture, "yoda", error);
    expect(fixture.shown()).toEqual([`14:00 · ${words}`]);
  });

  it("stopprivate takes it back", async () => {
    const fixture = await live();
    await waits(fixture, "yoda");
    await fixture.chat.enter("stopprivate yoda");
    expect(fixture.privates.done).toEqual(["stop yoda"]);
  });
});

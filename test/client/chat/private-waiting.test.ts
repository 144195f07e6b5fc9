// Asking for a private chat: the way is chosen first, what is said meanwhile is held, and on no it is given back.
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { NotSaidError } from "../../../client/peer/conversation.ts";
import { KeyProblemError } from "../../../client/peer/desk.ts";
import { ConnectError } from "../../../rpc/connect-error.ts";
import { RpcError } from "../../../rpc/status.ts";
import { answering, fails, opens, says, waits } from "./private-events.ts";
import { live } from "./stage.ts";

function refused(reason: string): RpcError {
  return new RpcError({ code: status.ABORTED, reason, message: "The server's words." });
}

describe("startprivate", () => {
  it("asks for the way first, with what each means, and asks nobody", async () => {
    const stage = await live();
    await stage.chat.enter("startprivate yoda");
    expect(stage.shown()).toEqual([
      "  Which way? Nobody was asked yet.",
      "  /startprivate yoda --direct: straight from device to device, so yoda will see your address.",
      "  /startprivate yoda --relay: through the server, which sees who and when, and cannot read it.",
    ]);
    expect(stage.privates.done).toEqual([]);
  });

  it.each([
    ["startprivate yoda --direct", "auto", "start yoda direct"],
    ["startprivate yoda --relay", "auto", "start yoda relay"],
    ["startprivate yoda", "direct", "start yoda direct"],
    ["startprivate yoda", "relay", "start yoda relay"],
    ["startprivate yoda --relay", "direct", "start yoda relay"],
  ] as const)("%s with the setting %s is: %s", async (line, path, done) => {
    const stage = await live({ privately: answering("ask", path) });
    await stage.chat.enter(line);
    expect(stage.privates.done).toEqual([done]);
    expect(stage.shown()).toEqual([]);
  });

  it("takes the relay where there is no person to ask", async () => {
    const stage = await live({ plain: true });
    await stage.chat.enter("startprivate yoda");
    expect(stage.privates.done).toEqual(["start yoda relay"]);
  });

  it("says that it waits, how long, and what becomes of what is said", async () => {
    const stage = await live();
    await waits(stage, "yoda");
    expect(stage.shown()).toEqual([
      "14:00 · yoda is asked for a private chat, and has 60 s to answer. What you say by /private yoda is held until then.",
    ]);
  });

  it.each([
    ["startprivate luke", undefined, "That is you."],
    ["private luke psst", undefined, "That is you."],
    ["private luke", undefined, "That is you."],
    ["startprivate yoda --relay", refused("USER_OFFLINE"), "yoda is not online."],
    ["startprivate yoda --relay", refused("BLOCKED_BY_RECIPIENT"), "yoda has blocked you."],
    [
      "startprivate yoda --relay",
      refused("USER_NOT_FOUND"),
      "No private chat with yoda: The server's words.",
    ],
    [
      "startprivate yoda --relay",
      new NotSaidError("yoda is being asked already."),
      "yoda is being asked already.",
    ],
  ])("%s is an error in words where it has to be", async (line, refusal, words) => {
    const stage = await live();
    stage.privates.refusal = refusal;
    await stage.chat.enter(line);
    expect(stage.shown()).toEqual([`Error: ${words}`]);
  });
});

describe("while the other one is being asked", () => {
  it("a line is held, stands there as waiting, and is shown once when it is said", async () => {
    const stage = await live();
    await waits(stage, "yoda");
    stage.shown();
    await stage.chat.enter("private yoda the plans");
    await stage.chat.enter("private yoda are in the droid");
    expect(stage.shown()).toEqual([
      "14:00 luke → yoda (private): the plans  (waiting)",
      "14:00 luke → yoda (private): are in the droid  (waiting)",
    ]);
    await opens(stage, "yoda", { startedHere: true });
    stage.shown();
    await says(stage, "yoda", "the plans", { mine: true });
    expect(stage.shown()).toEqual([]);
    await says(stage, "yoda", "are in the droid", { mine: true, number: 2n });
    expect(stage.shown()).toEqual(["14:00 · What waited is said to yoda."]);
    await says(stage, "yoda", "now", { mine: true, number: 3n });
    expect(stage.shown()).toEqual(["14:00 luke → yoda (private): now"]);
  });

  it("the chat can be opened, and its prompt says that it waits", async () => {
    const stage = await live();
    await waits(stage, "yoda");
    await stage.chat.enter("private yoda");
    expect(stage.prompt).toBe("yoda (private, waiting)> ");
    await stage.chat.enter("quit is not a word for me");
    expect(stage.shown().at(-1)).toContain("quit is not a word for me  (waiting)");
    await opens(stage, "yoda", { path: "relayed" });
    expect(stage.prompt).toBe("yoda (private, relayed)> ");
  });

  it("one line that was held is put back before the cursor, where no is the answer", async () => {
    const stage = await live();
    await waits(stage, "yoda");
    await stage.chat.enter("private yoda the plans");
    stage.shown();
    await fails(stage, "yoda", refused("INTRODUCTION_REFUSED"), ["the plans"]);
    expect(stage.shown()).toEqual([
      "14:00 · yoda does not want a private chat now.",
      "14:00 · Not said: it stands before the cursor again.",
    ]);
    expect(stage.putBack).toBe("/private yoda the plans");
    expect([stage.sent, stage.privates.said]).toEqual([[], []]);
  });

  it("is repeated whole where something else is being typed, and so are several", async () => {
    const stage = await live();
    await waits(stage, "yoda");
    stage.isTyping = true;
    await fails(stage, "yoda", refused("INTRODUCTION_UNANSWERED"), ["the plans"]);
    expect(stage.shown().slice(1)).toEqual(["14:00 · yoda did not answer.", "14:00 · Not said: “the plans”"]);
    stage.isTyping = false;
    await waits(stage, "yoda");
    stage.shown();
    const long = `a letter ${"that goes on ".repeat(20)}to its end`;
    const several = ["1", "2", "3", "4", "5", "in two\nlines", long];
    await fails(stage, "yoda", refused("USER_OFFLINE"), several);
    expect(stage.shown()).toEqual([
      "14:00 · yoda is not online.",
      ...several.map((text) => `14:00 · Not said: “${text}”`),
    ]);
    expect(stage.putBack).toBe("");
  });

  it("a line held for a chat that failed is shown anew in the next one", async () => {
    const stage = await live();
    await waits(stage, "yoda");
    await stage.chat.enter("private yoda the plans");
    await fails(stage, "yoda", refused("INTRODUCTION_REFUSED"), ["the plans"]);
    await opens(stage, "yoda");
    stage.shown();
    await says(stage, "yoda", "the plans", { mine: true });
    expect(stage.shown()).toEqual(["14:00 luke → yoda (private): the plans"]);
  });

  it.each([
    [
      new ConnectError({ kind: "timeout", message: "yoda did not come." }),
      "No private chat with yoda: yoda did not come.",
    ],
    [
      new KeyProblemError("yoda", "unsigned"),
      "STOP: The device of yoda is not signed by the identity key that you verified. Nothing was said. Ask yoda in " +
        "another way whether it is a new one, and to link it. /verify yoda --accept goes on with that device as it is.",
    ],
  ])("says why none came about", async (error, words) => {
    const stage = await live();
    await waits(stage, "yoda");
    stage.shown();
    await fails(stage, "yoda", error);
    expect(stage.shown()).toEqual([`14:00 · ${words}`]);
  });

  it("stopprivate takes it back", async () => {
    const stage = await live();
    await waits(stage, "yoda");
    await stage.chat.enter("stopprivate yoda");
    expect(stage.privates.done).toEqual(["stop yoda"]);
  });
});

// Somebody asks for a private chat: what the person hears and can answer, and what a setting answers instead.
import { status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { KeyProblemError } from "../../../client/peer/desk.ts";
import { NotAskedError } from "../../../client/peer/questions.ts";
import { IntroductionOutcome } from "../../../gen/parley/chat/v1/event.ts";
import { RpcError } from "../../../rpc/status.ts";
import { peerKeys } from "./played-chats.ts";
import { answering, asks, changedKeys, knownKeys } from "./private-events.ts";
import { live } from "./stage.ts";

const DIRECT = [
  "  /accept yoda: yes, straight from device to device; yoda will see your address.",
  "  /accept yoda --relay: yes, through the server, which cannot read it.",
];
const RELAYED = ["  /accept yoda: yes, through the server, which cannot read it."];
const NO = "  /refuse yoda: no. /accept yoda --always: yes, and from now on.";

it("is told in lines that name what each answer means, and nothing that is typed becomes one", async () => {
  const stage = await live();
  await stage.chat.enter("open leia");
  stage.shown();
  await asks(stage, "yoda");
  expect(stage.shown()).toEqual(["14:00 · yoda asks for a private chat.", ...DIRECT, NO]);
  expect(stage.prompt).toBe("leia> ");
  await stage.chat.enter("yes");
  expect(stage.sent.map(({ text }) => text)).toEqual(["yes"]);
  expect(stage.privates.done).toEqual([]);
});

it.each([
  ["who asks does not allow it", false, "auto"],
  ["the own setting does not", true, "relay"],
] as const)("offers no direct path where %s", async (_why, direct, path) => {
  const stage = await live({ privately: answering("ask", path) });
  await asks(stage, "yoda", { direct });
  expect(stage.shown().slice(1)).toEqual([...RELAYED, NO]);
});

it("rings where the person is away, and not where he is there", async () => {
  const stage = await live();
  stage.chat.focus(true);
  await asks(stage, "yoda");
  expect(stage.bells).toBe(0);
  stage.chat.focus(false);
  await asks(stage, "leia");
  expect(stage.bells).toBe(1);
});

it.each([
  ["/accept yoda", true, "accept yoda direct"],
  ["/accept yoda", false, "accept yoda relay"],
  ["/accept yoda --relay", true, "accept yoda relay"],
  ["/accept yoda --direct", true, "accept yoda direct"],
  ["/accept yoda --always", true, "accept yoda direct always"],
  ["/accept yoda --always", false, "accept yoda relay always"],
  ["/accept yoda --always --relay", true, "accept yoda relay always"],
  ["/refuse yoda", true, "refuse yoda"],
])("takes %s, a direct path being offered: %s", async (line, direct, done) => {
  const stage = await live();
  await asks(stage, "yoda", { direct });
  await stage.chat.enter(line);
  expect(stage.privates.done).toEqual([done]);
});

it.each([
  ["--relay", "through the server, which cannot read it"],
  ["--direct", "straight from device to device"],
])("says of a yes from now on what it means, and how it is taken back: %s", async (flag, way) => {
  const stage = await live();
  await asks(stage, "yoda");
  stage.shown();
  await stage.chat.enter(`accept yoda --always ${flag}`);
  expect(stage.shown()).toEqual([
    `  From now on yoda is let in without being asked about, ${way}. /refuse yoda takes that back.`,
  ]);
  await stage.chat.enter("refuse yoda");
  expect(stage.shown()).toEqual(["  yoda is no longer let in always: from now on you are asked."]);
  expect(stage.privates.contacts.get("yoda")).toMatchObject({ always: "ask" });
  expect(stage.privates.done).not.toContain("refuse yoda");
});

it("takes a yes from now on back beside a setting, which holds as before", async () => {
  const stage = await live({ privately: answering("contacts") });
  await asks(stage, "yoda");
  await stage.chat.enter("accept yoda --always");
  stage.shown();
  await stage.chat.enter("refuse yoda");
  expect(stage.shown()).toEqual([
    "  yoda is no longer let in always: --private-answer contacts holds as before.",
  ]);
});

it("is refused, and remains let in, where one who is always let in asks with another key", async () => {
  const stage = await live();
  await asks(stage, "yoda");
  await stage.chat.enter("accept yoda --always --relay");
  await asks(stage, "yoda", { judgement: changedKeys });
  await stage.chat.enter("refuse yoda");
  expect(stage.privates.done.at(-1)).toBe("refuse yoda");
  expect(stage.privates.contacts.get("yoda")).toMatchObject({ always: "relay" });
});

it("a yes typed for a question by relay does not answer one for a direct path that took its place", async () => {
  const stage = await live();
  await asks(stage, "yoda", { direct: false });
  stage.clock.advance(3_000);
  await asks(stage, "yoda", { direct: true });
  stage.shown();
  await stage.chat.enter("accept yoda");
  expect(stage.shown()).toEqual([
    "Error: yoda has just changed the question: a yes would show your address now. " +
      "/accept yoda --direct or /accept yoda --relay answers.",
  ]);
  expect(stage.privates.done).toEqual([]);
  await stage.chat.enter("accept yoda --relay");
  expect(stage.privates.done).toEqual(["accept yoda relay"]);
  await asks(stage, "yoda", { direct: true });
  stage.clock.advance(11_000);
  await stage.chat.enter("accept yoda");
  expect(stage.privates.done.at(-1)).toBe("accept yoda direct");
});

it("says who is told of a no", async () => {
  const stage = await live();
  await asks(stage, "yoda");
  stage.shown();
  await stage.chat.enter("refuse yoda");
  expect(stage.shown()).toEqual(["  yoda is told that you do not want a private chat now."]);
});

it.each([
  ["accept", "Error: Usage: /accept USER"],
  ["accept yoda --sometimes", "Error: usage: /accept USER, with --direct or --relay, or --always"],
  ["accept yoda --direct --relay", "Error: usage: /accept USER, with --direct or --relay, or --always"],
  ["startprivate yoda --always", "Error: usage: /startprivate USER, with --direct or --relay"],
])("refuses %s, and does nothing", async (line, words) => {
  const stage = await live();
  await asks(stage, "yoda");
  stage.shown();
  await stage.chat.enter(line);
  expect(stage.shown()[0]?.toLowerCase()).toContain(words.toLowerCase());
  expect(stage.privates.done).toEqual([]);
});

it.each([
  ["refuse", knownKeys, ["pass yoda"], "yoda asked for a private chat, and was refused by your setting."],
  [
    "accept",
    knownKeys,
    ["accept yoda relay"],
    "yoda asks for a private chat, and is let in by your setting.",
  ],
  [
    "contacts",
    knownKeys,
    ["accept yoda relay"],
    "yoda asks for a private chat, and is let in by your setting.",
  ],
  ["contacts", changedKeys, [], "yoda asks for a private chat."],
  ["contacts", undefined, [], "yoda asks for a private chat."],
] as const)("with the setting %s it is answered so: %j", async (answer, judgement, done, words) => {
  const stage = await live({ privately: answering(answer) });
  await asks(stage, "yoda", judgement && { judgement });
  expect(stage.privates.done).toEqual(done);
  expect(stage.shown()[0]).toBe(`14:00 · ${words}`);
});

it.each([
  ["accept", new NotAskedError("yoda does not ask for a private chat.")],
  ["refuse", new NotAskedError("yoda does not ask for a private chat.")],
  ["refuse", new RpcError({ code: status.NOT_FOUND, reason: "INTRODUCTION_NOT_FOUND", message: "Over." })],
] as const)(
  "with the setting %s a question that was taken back meanwhile is told of once: %s",
  async (answer, error) => {
    const stage = await live({ privately: answering(answer) });
    stage.privates.refusal = error;
    await asks(stage, "yoda");
    expect(stage.shown()).toHaveLength(1);
  },
);

it("shows its address by a setting only where that is the setting", async () => {
  const stage = await live({ privately: answering("accept", "direct") });
  await asks(stage, "yoda");
  expect(stage.privates.done).toEqual(["accept yoda direct"]);
});

it.each([
  ["relay", "accept yoda relay"],
  ["direct", "accept yoda direct"],
] as const)(
  "lets in whom the person always lets in, by the path that was chosen: %s",
  async (always, done) => {
    const stage = await live();
    const { userId, username, identityKey } = peerKeys("yoda");
    const contact = {
      userId,
      username,
      identityKey,
      since: new Date(),
      acceptedDevices: [],
      verified: false,
    };
    stage.privates.contacts.save({ ...contact, always });
    await asks(stage, "yoda", { judgement: knownKeys });
    expect(stage.privates.done).toEqual([done]);
  },
);

it("asks about one who is always let in, where the key is another one", async () => {
  const stage = await live();
  const { userId, username, identityKey } = peerKeys("yoda");
  const contact = { userId, username, identityKey, since: new Date(), acceptedDevices: [], verified: false };
  stage.privates.contacts.save({ ...contact, always: "direct" });
  await asks(stage, "yoda", { judgement: changedKeys });
  expect(stage.privates.done).toEqual([]);
  expect(stage.shown()[1]).toContain("WARNING: the identity key of yoda is another one than before");
});

it("is stopped, with the way out, where a verified key is another one", async () => {
  const stage = await live();
  await asks(stage, "yoda", { judgement: { standing: "verified", problem: "changed", stops: true } });
  expect(stage.shown()[1]).toContain("WARNING");
  stage.privates.refusal = new KeyProblemError("yoda", "changed");
  await stage.chat.enter("/accept yoda");
  expect(stage.shown()).toEqual([
    "Error: STOP: The identity key of yoda is not the one that you verified. Nothing was said. Ask yoda in another " +
      "way, and compare the codes: /verify yoda. /verify yoda --accept goes on with the new key.",
  ]);
});

it.each([
  [IntroductionOutcome.ACCEPTED_ELSEWHERE, "The private chat with yoda was accepted on your device “desk”."],
  [IntroductionOutcome.REFUSED_ELSEWHERE, "The private chat with yoda was refused on your device “desk”."],
  [IntroductionOutcome.UNANSWERED, "yoda asked for a private chat, and got no answer."],
  [IntroductionOutcome.TAKEN_BACK, "yoda no longer asks for a private chat."],
])("says what became of a question that needs no answer any more: %s", async (outcome, words) => {
  const stage = await live();
  await asks(stage, "yoda");
  stage.shown();
  await stage.chat.takePrivate({ type: "asking-closed", username: "yoda", outcome, deviceName: "desk" });
  expect(stage.shown()).toEqual([`14:00 · ${words}`]);
});

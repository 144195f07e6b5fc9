// Requests for a private chat: what the user reads and can answer, and what a setting answers instead.
import { status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { KeyProblemError } from "../../../client/peer/chats/context.ts";
import { NoRequestError } from "../../../client/peer/chats/incoming-requests.ts";
import { IntroductionOutcome } from "../../../gen/parley/chat/v1/event.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { peerKeys } from "./fake-private-chats.ts";
import { live } from "./fixture.ts";
import { answering, asks, changedKeys, knownKeys } from "./private-events.ts";

const DIRECT = [
  "  /accept yoda: accept, directly from device to device; yoda will see your address.",
  "  /accept yoda --relay: accept, through the server, which cannot read it.",
];
const RELAYED = ["  /accept yoda: accept, through the server, which cannot read it."];
const NO = "  /refuse yoda: refuse. Add --always to /accept to accept later requests too.";

it("a request lists the answers and what each means, and no line being typed answers it", async () => {
  const fixture = await live();
  await fixture.chat.enter("open leia");
  fixture.shown();
  await asks(fixture, "yoda");
  expect(fixture.shown()).toEqual(["14:00 · yoda asks for a private chat.", ...DIRECT, NO]);
  expect(fixture.prompt).toBe("leia> ");
  await fixture.chat.enter("yes");
  expect(fixture.sent.map(({ text }) => text)).toEqual(["yes"]);
  expect(fixture.privates.done).toEqual([]);
});

it.each([
  ["the peer does not allow it", false, "auto"],
  ["this user's setting does not allow it", true, "relay"],
] as const)("no direct path is offered where %s", async (_why, direct, path) => {
  const fixture = await live({ privately: answering("ask", path) });
  await asks(fixture, "yoda", { direct });
  expect(fixture.shown().slice(1)).toEqual([...RELAYED, NO]);
});

it("a request rings the bell if the terminal has no focus", async () => {
  const fixture = await live();
  fixture.chat.focus(true);
  await asks(fixture, "yoda");
  expect(fixture.bells).toBe(0);
  fixture.chat.focus(false);
  await asks(fixture, "leia");
  expect(fixture.bells).toBe(1);
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
])("%s answers a request, a direct path being offered: %s", async (line, direct, done) => {
  const fixture = await live();
  await asks(fixture, "yoda", { direct });
  await fixture.chat.enter(line);
  expect(fixture.privates.done).toEqual([done]);
});

it.each([
  ["--relay", "through the server, which cannot read it"],
  ["--direct", "directly from device to device"],
])("--always shows what it means and how to undo it: %s", async (flag, way) => {
  const fixture = await live();
  await asks(fixture, "yoda");
  fixture.shown();
  await fixture.chat.enter(`accept yoda --always ${flag}`);
  expect(fixture.shown()).toEqual([
    `  Requests by yoda are now accepted without asking you, ${way}. To undo: /refuse yoda`,
  ]);
  await fixture.chat.enter("refuse yoda");
  expect(fixture.shown()).toEqual(["  Requests by yoda are no longer always accepted: you are asked again."]);
  expect(fixture.privates.contacts.get("yoda")).toMatchObject({ always: "ask" });
  expect(fixture.privates.done).not.toContain("refuse yoda");
});

it("undoing --always leaves the setting in effect", async () => {
  const fixture = await live({ privately: answering("contacts") });
  await asks(fixture, "yoda");
  await fixture.chat.enter("accept yoda --always");
  fixture.shown();
  await fixture.chat.enter("refuse yoda");
  expect(fixture.shown()).toEqual([
    "  Requests by yoda are no longer always accepted: --private-answer contacts decides.",
  ]);
});

it("a request with a changed key can be refused without undoing --always", async () => {
  const fixture = await live();
  await asks(fixture, "yoda");
  await fixture.chat.enter("accept yoda --always --relay");
  await asks(fixture, "yoda", { keyCheck: changedKeys });
  await fixture.chat.enter("refuse yoda");
  expect(fixture.privates.done.at(-1)).toBe("refuse yoda");
  expect(fixture.privates.contacts.get("yoda")).toMatchObject({ always: "relay" });
});

it("an answer typed for a relayed request does not accept a direct one that replaced it", async () => {
  const fixture = await live();
  await asks(fixture, "yoda", { direct: false });
  fixture.clock.advance(3_000);
  await asks(fixture, "yoda", { direct: true });
  fixture.shown();
  await fixture.chat.enter("accept yoda");
  expect(fixture.shown()).toEqual([
    "Error: yoda has just changed the request: accepting it would now show your address. " +
      "Choose: /accept yoda --direct or /accept yoda --relay",
  ]);
  expect(fixture.privates.done).toEqual([]);
  await fixture.chat.enter("accept yoda --relay");
  expect(fixture.privates.done).toEqual(["accept yoda relay"]);
  await asks(fixture, "yoda", { direct: true });
  fixture.clock.advance(11_000);
  await fixture.chat.enter("accept yoda");
  expect(fixture.privates.done.at(-1)).toBe("accept yoda direct");
});

it("a refusal is confirmed", async () => {
  const fixture = await live();
  await asks(fixture, "yoda");
  fixture.shown();
  await fixture.chat.enter("refuse yoda");
  expect(fixture.shown()).toEqual(["  yoda is told that you do not want a private chat now."]);
});

it.each([
  ["accept", "Error: Usage: /accept USER"],
  ["accept yoda --sometimes", "Error: Usage: /accept USER, with --direct or --relay, or --always"],
  ["accept yoda --direct --relay", "Error: Usage: /accept USER, with --direct or --relay, or --always"],
  ["startprivate yoda --always", "Error: Usage: /startprivate USER, with --direct or --relay"],
])("%s is a usage error, and does nothing", async (line, words) => {
  const fixture = await live();
  await asks(fixture, "yoda");
  fixture.shown();
  await fixture.chat.enter(line);
  expect(fixture.shown()[0]?.toLowerCase()).toContain(words.toLowerCase());
  expect(fixture.privates.done).toEqual([]);
});

it.each([
  ["refuse", knownKeys, ["pass yoda"], "yoda asked for a private chat and was refused by your setting."],
  [
    "accept",
    knownKeys,
    ["accept yoda relay"],
    "yoda asked for a private chat and was accepted by your setting.",
  ],
  [
    "contacts",
    knownKeys,
    ["accept yoda relay"],
    "yoda asked for a private chat and was accepted by your setting.",
  ],
  ["contacts", changedKeys, [], "yoda asks for a private chat."],
  ["contacts", undefined, [], "yoda asks for a private chat."],
] as const)("the setting %s answers a request with %j", async (answer, keyCheck, done, words) => {
  const fixture = await live({ privately: answering(answer) });
  await asks(fixture, "yoda", keyCheck && { keyCheck });
  expect(fixture.privates.done).toEqual(done);
  expect(fixture.shown()[0]).toBe(`14:00 · ${words}`);
});

it.each([
  ["accept", new NoRequestError("yoda does not ask for a private chat.")],
  ["refuse", new NoRequestError("yoda does not ask for a private chat.")],
  ["refuse", new RpcError({ code: status.NOT_FOUND, reason: "INTRODUCTION_NOT_FOUND", message: "Over." })],
] as const)(
  "with the setting %s a request that was withdrawn meanwhile is reported once: %s",
  async (answer, error) => {
    const fixture = await live({ privately: answering(answer) });
    fixture.privates.refusal = error;
    await asks(fixture, "yoda");
    expect(fixture.shown()).toHaveLength(1);
  },
);

it("a setting accepts a direct path only if the path setting is direct", async () => {
  const fixture = await live({ privately: answering("accept", "direct") });
  await asks(fixture, "yoda");
  expect(fixture.privates.done).toEqual(["accept yoda direct"]);
});

it.each([
  ["relay", "accept yoda relay"],
  ["direct", "accept yoda direct"],
] as const)(
  "a request of a user who is always accepted is accepted by the chosen path: %s",
  async (always, done) => {
    const fixture = await live();
    const { userId, username, identityKey } = peerKeys("yoda");
    const contact = {
      userId,
      username,
      identityKey,
      since: new Date(),
      acceptedDevices: [],
      verified: false,
    };
    fixture.privates.contacts.save({ ...contact, always });
    await asks(fixture, "yoda", { keyCheck: knownKeys });
    expect(fixture.privates.done).toEqual([done]);
  },
);

it("a request of a user who is always accepted is shown if the key has changed", async () => {
  const fixture = await live();
  const { userId, username, identityKey } = peerKeys("yoda");
  const contact = { userId, username, identityKey, since: new Date(), acceptedDevices: [], verified: false };
  fixture.privates.contacts.save({ ...contact, always: "direct" });
  await asks(fixture, "yoda", { keyCheck: changedKeys });
  expect(fixture.privates.done).toEqual([]);
  expect(fixture.shown()[1]).toContain("WARNING: the identity key of yoda has changed");
});

it("a request with a changed verified key is stopped, with the command that accepts it", async () => {
  const fixture = await live();
  await asks(fixture, "yoda", { keyCheck: { standing: "verified", problem: "changed", stops: true } });
  expect(fixture.shown()[1]).toContain("WARNING");
  fixture.privates.refusal = new KeyProblemError("yoda", "changed");
  await fixture.chat.enter("/accept yoda");
  expect(fixture.shown()).toEqual([
    "Error: STOP: The identity key of yoda is not the one that you verified. Nothing was sent. Contact yoda in another " +
      "way and compare the codes: /verify yoda. To accept the new key without comparing: /verify yoda --accept",
  ]);
});

it.each([
  [IntroductionOutcome.ACCEPTED_ELSEWHERE, "The private chat with yoda was accepted on your device “desk”."],
  [IntroductionOutcome.REFUSED_ELSEWHERE, "The private chat with yoda was refused on your device “desk”."],
  [IntroductionOutcome.UNANSWERED, "yoda asked for a private chat and got no answer."],
  [IntroductionOutcome.TAKEN_BACK, "yoda no longer asks for a private chat."],
])("a request that needs no answer any more is reported: %s", async (outcome, words) => {
  const fixture = await live();
  await asks(fixture, "yoda");
  fixture.shown();
  await fixture.chat.takePrivate({
    type: "request-closed",
    username: "yoda",
    outcome,
    deviceName: "desk",
  });
  expect(fixture.shown()).toEqual([`14:00 · ${words}`]);
});

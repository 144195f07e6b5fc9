// /history, /private and /verify for private chats: kept lines, the list of chats, and the code to compare.
import { describe, expect, it } from "vitest";
import { newFolder, stateWithProfile } from "../state/fixture.ts";
import { peerKeys } from "./fake-private-chats.ts";
import { type Fixture, live } from "./fixture.ts";
import { asks, ends, opens, says, waits } from "./private-events.ts";

/** Stores yoda's key on the server and, as `options.key`, on this device. */
function known(fixture: Fixture, options: { verified?: boolean; key?: string } = {}): void {
  const { userId, username, identityKey } = peerKeys("yoda");
  fixture.privates.identities.set("yoda", identityKey);
  fixture.privates.contacts.save({
    userId,
    username,
    identityKey: Buffer.alloc(32, options.key ?? "yoda"),
    since: new Date("2026-02-01T12:00:00Z"),
    verified: options.verified ?? false,
    acceptedDevices: [],
    always: "ask",
  });
}

describe("/history of a private chat", () => {
  it("is an error if no lines are kept", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    await fixture.chat.enter("private yoda");
    await says(fixture, "yoda", "hi");
    fixture.shown();
    await fixture.chat.enter("/history");
    expect(fixture.shown()).toEqual([
      "Error: Lines of private chats are not kept. Start parley with --keep-private to keep them.",
    ]);
  });

  it("shows the newest lines of both users, marked, without a call to the server", async () => {
    using folder = newFolder();
    const { state, profileId } = stateWithProfile(folder.path);
    using _ = state;
    const lines = state.privateLines(profileId);
    const fixture = await live({ privately: { answer: "ask", path: "auto", lines } });
    await opens(fixture, "yoda");
    await opens(fixture, "leia");
    await fixture.chat.enter("private yoda");
    fixture.asked.length = 0;
    await says(fixture, "yoda", "one");
    await says(fixture, "leia", "of another chat");
    await says(fixture, "yoda", "two", { mine: true });
    await says(fixture, "yoda", "three", { number: 2n });
    fixture.shown();
    await fixture.chat.enter("/history 2");
    expect(fixture.shown().slice(1)).toEqual(["14:00 luke (private): two", "14:00 yoda (private): three"]);
    expect(fixture.asked).toEqual([]);
  });
});

it("a line of a kind that this version does not know is not kept, and the user is told", async () => {
  using folder = newFolder();
  const { state, profileId } = stateWithProfile(folder.path);
  using _ = state;
  const lines = state.privateLines(profileId);
  const fixture = await live({ privately: { answer: "ask", path: "auto", lines } });
  await opens(fixture, "yoda");
  fixture.shown();
  await says(fixture, "yoda", "", { content: { kind: "unknown" } });
  expect(fixture.shown()[0]).toBe(
    "14:00 · A line of yoda is not kept: its content needs a newer version of parley.",
  );
  expect(lines.last("yoda", 10)).toEqual([]);
});

describe("lines that an earlier run kept", () => {
  it("are shown if this run keeps none, with and without an open chat", async () => {
    using folder = newFolder();
    const { state, profileId } = stateWithProfile(folder.path);
    using _ = state;
    const kept = state.privateLines(profileId);
    const fixture = await live({ privately: { answer: "ask", path: "auto", lines: undefined, kept } });
    kept.add({ username: "yoda", mine: false, time: fixture.now, text: "long ago" });
    await fixture.chat.enter("history --private yoda 5");
    expect(fixture.shown().slice(1)).toEqual(["14:00 yoda (private): long ago"]);
    await fixture.chat.enter("history --private leia");
    expect(fixture.shown()).toEqual([
      "Error: Lines of private chats are not kept. Start parley with --keep-private to keep them.",
    ]);
    await opens(fixture, "yoda");
    await fixture.chat.enter("private yoda");
    await says(fixture, "yoda", "not kept");
    fixture.shown();
    await fixture.chat.enter("/history");
    expect(fixture.shown().slice(1)).toEqual(["14:00 yoda (private): long ago"]);
  });

  it("may be none, which is an answer if this run keeps lines", async () => {
    using folder = newFolder();
    const { state, profileId } = stateWithProfile(folder.path);
    using _ = state;
    const lines = state.privateLines(profileId);
    const fixture = await live({ privately: { answer: "ask", path: "auto", lines, kept: lines } });
    await fixture.chat.enter("history --private yoda");
    expect(fixture.shown()).toEqual(["  No lines of private chats with yoda are kept yet."]);
  });

  it.each(["history --private", "history --private yoda 0", "history yoda 3 4", "history --private a 1 2"])(
    "%s is a usage error",
    async (line) => {
      const fixture = await live();
      await fixture.chat.enter(line);
      expect(fixture.shown()).toEqual([expect.stringMatching(/^Error: Usage: \/history /)]);
    },
  );
});

describe("a tall line", () => {
  it("may be folded if it is kept, with the command that shows it", async () => {
    using folder = newFolder();
    const { state, profileId } = stateWithProfile(folder.path);
    using _ = state;
    const lines = state.privateLines(profileId);
    const fixture = await live({ privately: { answer: "ask", path: "auto", lines, kept: lines } });
    await opens(fixture, "yoda");
    fixture.hints.length = 0;
    await says(fixture, "yoda", "the whole story ".repeat(2_000));
    const [hint = "", ...others] = fixture.hints.splice(0);
    expect([hint, others]).toEqual(["/history --private yoda", []]);
    await ends(fixture, "yoda");
    fixture.shown();
    await fixture.chat.enter(hint);
    expect(fixture.shown().at(-1)).toContain("the whole story the whole story");
    expect(fixture.hints).toEqual([]);
  });

  it("is shown whole if it is not kept, as no command could show the rest", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    fixture.hints.length = 0;
    await says(fixture, "yoda", "the whole story ".repeat(2_000));
    expect(fixture.hints).toEqual([]);
  });
});

describe("/private without arguments", () => {
  it("lists open chats and requests in both directions", async () => {
    const fixture = await live();
    await opens(fixture, "yoda");
    await waits(fixture, "leia");
    await asks(fixture, "vader");
    fixture.shown();
    await fixture.chat.enter("private");
    expect(fixture.shown()).toEqual([
      "Private chats:",
      "  yoda: directly from device to device",
      "  leia: asked, no answer yet",
      "  vader: asks you; answer with /accept vader or /refuse vader",
    ]);
  });

  it("reports that there are none", async () => {
    const fixture = await live();
    await fixture.chat.enter("private");
    expect(fixture.shown().join("\n")).toContain("No private chat is open.");
  });
});

describe("/verify", () => {
  it("shows 60 digits, the state of the key, and what to do with the code", async () => {
    const fixture = await live();
    known(fixture);
    await fixture.chat.enter("verify yoda");
    const [head, one, two, three, ...rest] = fixture.shown().map((line) => line.trim());
    expect(head).toBe("Your code with yoda:");
    for (const row of [one, two, three]) expect(row).toMatch(/^\d{5}( {2}\d{5}){3}$/);
    expect(rest).toEqual([
      "This is the key of yoda that this device has known since 2026-02-01. It is not verified.",
      "Compare the code with the one that yoda sees, in person or in a call. If they are equal: /verify yoda --confirm",
    ]);
  });

  it.each([
    [
      "is not linked",
      undefined,
      /^ {2}This device is not linked .*First run: parley devices link\. Then compare the code with the one that yoda sees/,
      "Error: This device is not linked to your first device: link it first.",
    ],
    [
      "knows another key as its user's",
      Buffer.alloc(32, "another one"),
      /^ {2}WARNING: .*first run: parley devices link on this device, .*Then compare the code with the one that yoda sees/,
      "Error: Your own identity key is not the one that this device has stored: link this device first.",
    ],
  ] as const)(
    "names the first step, and not --confirm, on a device that %s",
    async (_what, identity, words, refusal) => {
      const fixture = await live();
      known(fixture);
      const registered = await fixture.privates.register();
      fixture.privates.register = () =>
        Promise.resolve({ ...registered, keys: { ...registered.keys, identity }, holdsIdentity: false });
      await fixture.chat.enter("verify yoda");
      const shown = fixture.shown();
      expect(shown.at(-1)).toMatch(words);
      expect(shown.join("\n")).not.toContain("--confirm");
      await fixture.chat.enter("verify yoda --confirm");
      expect(fixture.shown().at(-1)).toBe(refusal);
    },
  );

  it("--confirm stores that the key is verified", async () => {
    const fixture = await live();
    known(fixture);
    await fixture.chat.enter("verify yoda");
    fixture.shown();
    await fixture.chat.enter("verify yoda --confirm");
    expect(fixture.shown()).toEqual([
      "  The key of yoda is verified. A private chat with any other key is stopped.",
    ]);
    expect(fixture.privates.contacts.get("yoda")).toMatchObject({ verified: true });
  });

  it("--confirm checks the keys of the open chat again", async () => {
    const fixture = await live();
    known(fixture);
    fixture.privates.openChats = [{ username: "yoda", path: "direct" }];
    await fixture.chat.enter("verify yoda");
    await fixture.chat.enter("verify yoda --confirm");
    expect(fixture.privates.done.at(-1)).toBe("recheck yoda");
  });

  it.each([
    [
      "another key",
      { identityKey: Buffer.alloc(32, "another") },
      "  WARNING: the open private chat with yoda uses another key than this code.",
    ],
    [
      "a device that is not signed",
      { signed: false },
      "  WARNING: the open private chat with yoda uses a device that is not signed by this key.",
    ],
  ])("warns where the open chat goes to %s", async (_what, more, words) => {
    const fixture = await live();
    known(fixture);
    fixture.privates.openChats = [{ username: "yoda", path: "direct" }];
    fixture.privates.peers.set("yoda", { ...peerKeys("yoda"), ...more });
    await fixture.chat.enter("verify yoda");
    expect(fixture.shown().at(-1)).toBe(words);
  });

  it("--confirm of a code that was not shown shows the code instead", async () => {
    const fixture = await live();
    known(fixture);
    await fixture.chat.enter("verify yoda --confirm");
    const shown = fixture.shown().join("\n");
    expect(shown).toContain("Your code with yoda:");
    expect(shown).toContain("The code has changed since it was shown");
    expect(fixture.privates.contacts.get("yoda")).toMatchObject({ verified: false });
  });

  it("warns about a changed key, which --accept accepts without verifying it", async () => {
    const fixture = await live();
    known(fixture, { verified: true, key: "another" });
    await fixture.chat.enter("verify yoda");
    expect(fixture.shown().join("\n")).toContain(
      "WARNING: this is not the key of yoda that this device has known since",
    );
    await fixture.chat.enter("verify yoda --accept");
    expect(fixture.shown()).toEqual([
      "  The key of yoda is accepted but not verified. Ask for the private chat again.",
    ]);
    expect(fixture.privates.contacts.get("yoda")).toMatchObject({
      verified: false,
      identityKey: peerKeys("yoda").identityKey,
    });
  });

  it.each([
    ["asks", asks, " To accept the request: /accept yoda"],
    ["is asked", waits, ""],
    ["has a chat open", opens, ""],
  ] as const)("--accept names the next step where yoda %s", async (_what, happens, next) => {
    const fixture = await live();
    known(fixture, { verified: true, key: "another" });
    await happens(fixture, "yoda");
    fixture.shown();
    await fixture.chat.enter("verify yoda --accept");
    expect(fixture.shown()).toEqual([`  The key of yoda is accepted but not verified.${next}`]);
  });

  it.each([
    ["verify luke", "You cannot verify yourself: a code belongs to two users."],
    ["verify leia", "/verify leia: That user has no identity key yet."],
    ["verify yoda --accept", "There is nothing to accept: yoda has not used another key."],
    ["verify yoda --now", "Usage: /verify USER, or with --confirm or --accept"],
    ["verify yoda constructor", "Usage: /verify USER, or with --confirm or --accept"],
  ])("%s is an error with a sentence", async (line, words) => {
    const fixture = await live();
    known(fixture);
    await fixture.chat.enter(line);
    expect(fixture.shown()).toEqual([`Error: ${words}`]);
  });
});

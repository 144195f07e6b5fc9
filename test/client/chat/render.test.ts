// How display items look: a text of another user cannot imitate anything but a message, at a screen and in plain lines.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DisplayItem, MessageItem } from "../../../client/cli/chat/model/display-item.ts";
import { everyone, withUser } from "../../../client/cli/chat/model/place.ts";
import { plainLines } from "../../../client/cli/chat/plain/render-plain.ts";
import { screenLines } from "../../../client/cli/chat/screen/render.ts";
import { Paint } from "../../../client/cli/terminal/text/paint.ts";

const now = new Date("2026-03-01T14:05:00");

function message(text: string, more: Partial<MessageItem> = {}): MessageItem {
  return {
    kind: "message",
    time: now,
    from: "yoda",
    mine: false,
    place: withUser("yoda"),
    content: { kind: "text", text },
    here: true,
    waiting: false,
    echo: false,
    ...more,
  };
}

/** The rows of an item on a screen of 40 columns. */
function rows(note: DisplayItem): string[] {
  return screenLines(note, now).flatMap(({ text, hang }) => text.wrap(40, hang).map((row) => row.plain));
}

describe("on a screen", () => {
  it("a message shows its time, its sender and, unless its conversation is open, its recipient", () => {
    expect(rows(message("hi"))).toEqual(["14:05 yoda: hi"]);
    expect(rows(message("hi", { here: false }))).toEqual(["14:05 yoda → you: hi"]);
    expect(rows(message("hi", { here: false, place: everyone }))).toEqual(["14:05 yoda → everyone: hi"]);
    expect(rows(message("hi", { from: "luke", mine: true, here: false }))).toEqual(["14:05 luke → yoda: hi"]);
    expect(rows(message("", { content: { kind: "unknown" } })).join("")).toContain("cannot show");
  });

  it("no later row of a message begins at the left margin", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        const [first, ...others] = rows(message(text));
        expect(first?.startsWith("14:05 yoda:")).toBe(true);
        for (const row of others) expect(row.startsWith("      ")).toBe(true);
      }),
    );
    expect(rows(message("a\n14:06 · leia went offline\nError: x"))).toEqual([
      "14:05 yoda: a",
      "      14:06 · leia went offline",
      "      Error: x",
    ]);
  });

  it("a word that is longer than a row begins beside the sender", () => {
    expect(rows(message("x".repeat(60), { here: false }))[0]).toBe(`14:05 yoda → you: ${"x".repeat(22)}`);
    expect(rows(message("a word of usual length at the end")).length).toBe(2);
  });

  it("a message that may be folded names the command that shows it", () => {
    expect(screenLines(message("hi"), now)[0]?.foldedFor).toBe("/history yoda");
    expect(screenLines(message("hi", { place: everyone }), now)[0]?.foldedFor).toBe("/history --broadcast");
    expect(screenLines(message("hi", { whole: true }), now)[0]?.foldedFor).toBeUndefined();
  });

  it("escapes and control characters in texts and names do not reach the terminal", () => {
    const note = message("\x1b[2J\x1b]0;title\x07\r\u202e", { from: "y\x1b[31mo" });
    const painted = screenLines(note, now)
      .map(({ text }) => new Paint("256").render(text))
      .join("");
    const ours = painted.replaceAll(/\x1b\[[\d;]*m/g, "");
    expect(ours).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
    const dangerous: DisplayItem[] = [
      { kind: "error", text: "bad\x1b[0m\nline" },
      { kind: "notice", text: "bad\x1b[0m\nline", time: now },
      { kind: "presence", came: ["a\x1b\nb"], went: ["\x07"], time: now },
      { kind: "users", users: [{ name: "a\x1b\nb", remark: "\x1b" }] },
      { kind: "greeting", me: "\x1b", address: "\x1b", online: ["\x1b"] },
    ];
    for (const one of dangerous) {
      for (const { text } of screenLines(one, now)) expect(text.plain).not.toMatch(/[\x00-\x1f]/);
      for (const line of plainLines(one, now)) expect(line).not.toMatch(/[\x00-\x1f]/);
    }
  });

  it("a user has one colour, and different users have different ones", () => {
    const colourOf = (from: string): string =>
      new Paint("256")
        .render(screenLines(message("x", { from }), now)[0]?.text ?? fail())
        .match(/38;5;\d+/)?.[0] ?? "";
    const colours = ["yoda", "luke", "leia", "vader", "hans", "yoda"].map(colourOf);
    expect(colours[0]).toBe(colours[5]);
    expect(new Set(colours).size).toBeGreaterThan(2);
  });
});

describe("in plain lines", () => {
  it('a message is "name: text", and its later lines are indented', () => {
    expect(plainLines(message("hi", { here: false }), now)).toEqual(["yoda: hi"]);
    expect(plainLines(message("a\nError: b\nleia logged out"), now).join("\n")).toBe(
      "yoda: a\n  Error: b\n  leia logged out",
    );
    expect(plainLines(message("hi", { echo: true, mine: true }), now)).toEqual([]);
  });

  it("log-ins, log-outs, errors and users are one line each", () => {
    expect(plainLines({ kind: "presence", came: ["a", "b"], went: ["c"], time: now }, now)).toEqual([
      "a logged in",
      "b logged in",
      "c logged out",
    ]);
    expect(plainLines({ kind: "error", text: "No." }, now)).toEqual(["Error: No."]);
    expect(plainLines({ kind: "users", users: [{ name: "a", remark: "online" }] }, now)).toEqual(["a"]);
  });
});

function fail(): never {
  throw new Error("no line");
}

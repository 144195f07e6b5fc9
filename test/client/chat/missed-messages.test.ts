// Messages missed while away: the summary, the lines in order, and the command that shows the rest; and /history.
import { describe, expect, it } from "vitest";
import type { EntryArrived, LinkEvent } from "../../../client/link/model/events.ts";
import type { Event } from "../../../gen/parley/chat/v1/event.ts";
import { Fixture } from "./fixture.ts";
import { START } from "./fixture-clock.ts";

const raw: Event = { kind: undefined };

/** The time that many minutes before the fixture begins. */
function ago(minutes: number): { sendTime: Date; live: false } {
  return { sendTime: new Date(START.getTime() - minutes * 60_000), live: false };
}

describe("missed messages", () => {
  it("are summarized in one line, and shown oldest first below a rule", async () => {
    const fixture = new Fixture();
    const missed = [
      fixture.entry("yoda", "first", ago(50)),
      fixture.entry("yoda", "third", ago(30)),
      fixture.entry("leia", "second", ago(40)),
      fixture.entry("vader", "fourth", { ...ago(20), kind: "broadcast" }),
    ];
    await fixture.connect(["yoda"], missed);
    expect(fixture.shown()).toEqual([
      "Connected to server:1 as luke; online: yoda.",
      "/open USER opens a conversation; /help lists the commands.",
      "4 new since 13:10: yoda 2, leia 1, 1 to everyone",
      expect.stringMatching(/^─+ unread ─+$/),
      "13:10 yoda → you: first",
      "13:20 leia → you: second",
      "13:30 yoda → you: third",
      "13:40 vader → everyone: fourth",
    ]);
    expect(fixture.status).toBe("unread: yoda 2, leia 1 (Alt-a) · 1 other online");
  });

  it("are shown below a line with the date where the day changes", async () => {
    const fixture = new Fixture();
    await fixture.connect(
      [],
      [fixture.entry("yoda", "late", ago(24 * 60)), fixture.entry("yoda", "now", ago(0))],
    );
    expect(fixture.shown().slice(2)).toEqual([
      "2 new since Sat 2026-02-28 14:00: yoda 2",
      expect.stringContaining("unread"),
      "── Sat 2026-02-28 ──",
      "14:00 yoda → you: late",
      "── Sun 2026-03-01 ──",
      "14:00 yoda → you: now",
    ]);
  });

  it("that were read on another device, or sent from it, are shown above the rule", async () => {
    const fixture = new Fixture();
    const missed = [
      fixture.entry("yoda", "read on the other device", ago(9)),
      fixture.entry("luke", "answered there", ago(8)),
      fixture.entry("yoda", "new", ago(7)),
    ];
    fixture.before("yoda", [], 2);
    await fixture.connect([], missed);
    expect(fixture.shown().slice(2)).toEqual([
      "1 new since 13:53: yoda 1",
      "13:51 yoda → you: read on the other device",
      "13:52 luke → yoda: answered there",
      expect.stringContaining("unread"),
      "13:53 yoda → you: new",
    ]);
  });

  it("that were all read on another device have a heading that says so", async () => {
    const fixture = new Fixture();
    fixture.before("yoda", [], 1);
    await fixture.connect([], [fixture.entry("yoda", "read on the other device", ago(9))]);
    expect(fixture.shown().slice(2)).toEqual([
      "── earlier, all read ──",
      "13:51 yoda → you: read on the other device",
    ]);
  });

  it("keep the order of the log if the server's clock was set back", async () => {
    const fixture = new Fixture();
    const missed = [
      fixture.entry("yoda", "1", ago(10)),
      fixture.entry("yoda", "2", ago(20)),
      fixture.entry("leia", "between", ago(15)),
      fixture.entry("yoda", "3", ago(5)),
    ];
    await fixture.connect([], missed);
    const texts = fixture
      .shown()
      .slice(4)
      .map((line) => line.split(": ")[1]);
    expect(texts).toEqual(["between", "1", "2", "3"]);
  });

  it("are limited to the newest 200, with a command that shows the rest", async () => {
    const fixture = new Fixture();
    const missed: EntryArrived[] = [];
    for (let index = 1; index <= 2_500; index++) {
      missed.push(fixture.entry(index % 5 === 0 ? "leia" : "yoda", `m${index}`, ago(3_000 - index)));
    }
    await fixture.connect([], missed);
    const lines = fixture.shown();
    const said = lines.filter((line) => line.includes("→ you"));
    expect(said).toHaveLength(200);
    expect(said.map((line) => line.split(": ")[1])).toEqual(
      Array.from({ length: 200 }, (_, index) => `m${index + 2_301}`),
    );
    expect(lines[2]).toBe("2500 new since Fri 2026-02-27 12:01: yoda 2000, leia 500");
    expect(lines[3]).toBe("… 1840 older messages with yoda not shown; to read: /history yoda 2000");
    expect(lines[4]).toBe("… 460 older messages with leia not shown; to read: /history leia 500");
  });

  it("that were not shown are shown by Alt-a, with a line about those above", async () => {
    const fixture = new Fixture({ users: ["hans"] });
    const missed = Array.from({ length: 240 }, (_, index) => fixture.entry("hans", `m${index + 1}`, ago(9)));
    await fixture.connect([], missed);
    expect(fixture.shown()[3]).toBe("… 40 older messages with hans not shown; to read: /history hans 240");
    await fixture.chat.openNextUnread();
    expect(fixture.shown()).toEqual([
      "── earlier with hans ──",
      expect.stringContaining("unread"),
      ...Array.from({ length: 40 }, (_, index) => `13:51 hans: m${index + 1}`),
      "14:00 · 200 newer unread messages from hans are above.",
    ]);
    expect(fixture.status).not.toContain("unread");
  });

  it("that the server left out or removed are counted", async () => {
    const fixture = new Fixture();
    const filler = Array.from({ length: 30 }, (_, index) => fixture.entry("yoda", `old ${index}`, ago(60)));
    const conversationId = fixture.idOf("yoda");
    const gap = (fromSeq: bigint, toSeq: bigint, fillable: boolean): LinkEvent => {
      return { type: "gap", conversationId, fromSeq, toSeq, fillable, raw };
    };
    await fixture.connect(
      [],
      [gap(1n, 10n, false), gap(11n, 30n, true), fixture.entry("yoda", "shown", ago(5))],
    );
    expect(filler).toHaveLength(30);
    expect(fixture.shown().slice(2)).toEqual([
      "21 new since 13:55: yoda 21",
      "… 10 messages with yoda no longer stored",
      "… 20 older messages with yoda not shown; to read: /history yoda 31",
      expect.stringContaining("unread"),
      "13:55 yoda → you: shown",
    ]);
  });

  it("that were unread in an earlier run are counted, and shown when the conversation is opened", async () => {
    const fixture = new Fixture();
    fixture.before("yoda", ["read", "unread one", "unread two"], 1);
    fixture.before("leia", ["all read"], 1);
    await fixture.connect();
    expect(fixture.shown().slice(2)).toEqual([
      "Unread from before: yoda 2. To read: press Alt-a or type /open yoda",
    ]);
    await fixture.chat.openNextUnread();
    expect(fixture.shown()).toEqual([
      "── earlier with yoda ──",
      "14:00 yoda: read",
      expect.stringContaining("unread"),
      "14:00 yoda: unread one",
      "14:00 yoda: unread two",
    ]);
    expect(fixture.read).toEqual([{ conversationId: fixture.idOf("yoda"), seq: 3n }]);
  });

  it("that were unread before are counted with the new ones, and all are shown by opening", async () => {
    const fixture = new Fixture();
    fixture.before("yoda", ["read", "old one", "old two"], 1);
    const fresh = fixture.entry("yoda", "new", { live: false });
    await fixture.connect([], [fresh]);
    expect(fixture.shown().slice(2)).toEqual([
      "3 new since 14:00: yoda 3",
      "… 2 older messages with yoda not shown; to read: /history yoda 3",
      expect.stringContaining("unread"),
      "14:00 yoda → you: new",
    ]);
    expect(fixture.status).toContain("unread: yoda 3");
    await fixture.chat.openNextUnread();
    expect(fixture.shown()).toEqual([
      "── earlier with yoda ──",
      expect.stringContaining("unread"),
      "14:00 yoda: old one",
      "14:00 yoda: old two",
      "14:00 · 1 newer unread message from yoda is above.",
    ]);
    expect(fixture.read).toEqual([{ conversationId: fixture.idOf("yoda"), seq: 4n }]);
    expect(fixture.asked.filter((what) => !what.startsWith("background "))).toEqual([]);
  });

  it("are counted as new without those that an earlier run has shown", async () => {
    const fixture = new Fixture();
    fixture.before("yoda", ["read", "shown", "shown too"], 1, 3);
    await fixture.connect([], [fixture.entry("yoda", "new", { live: false })]);
    expect(fixture.shown().slice(2)).toEqual([
      "1 new since 14:00: yoda 1",
      "… 2 older messages with yoda not shown; to read: /history yoda 3",
      expect.stringContaining("unread"),
      "14:00 yoda → you: new",
    ]);
    expect(fixture.status).toContain("unread: yoda 3");
  });

  it("on a new device are counted in full if the server sent the end of the log", async () => {
    const fixture = new Fixture();
    const all = Array.from({ length: 3_000 }, (_, index) => fixture.entry("yoda", `m${index + 1}`, ago(60)));
    await fixture.connect([], all.slice(-50));
    expect(fixture.shown().slice(2, 4)).toEqual([
      "3000 new since 13:00: yoda 3000",
      "… 2950 older messages with yoda not shown; to read: /history yoda 3000",
    ]);
    expect(fixture.status).toContain("unread: yoda 3000");
    await fixture.chat.enter("open yoda");
    const opened = fixture.shown();
    expect(opened[1]).toBe("… 2750 older messages with yoda not shown; to read: /history yoda 3000");
    expect(opened.slice(-2)).toEqual([
      "13:00 yoda: m2950",
      "14:00 · 50 newer unread messages from yoda are above.",
    ]);
    expect(fixture.status).not.toContain("unread");
  });

  it("are not marked as read if they cannot be shown without a connection", async () => {
    const fixture = new Fixture();
    fixture.before("yoda", ["unread"], 0);
    await fixture.connect();
    await fixture.disconnect();
    await fixture.chat.enter("open yoda");
    expect(fixture.prompt).toBe("yoda> ");
    expect(fixture.read).toEqual([]);
  });

  it("do not include own messages above the read marker", async () => {
    const fixture = new Fixture();
    fixture.entry("luke", "mine");
    fixture.entry("luke", "mine too");
    await fixture.connect();
    expect(fixture.shown()).toHaveLength(2);
    expect(fixture.status).toBe("no others online");
    expect(fixture.read).toEqual([{ conversationId: fixture.idOf("yoda"), seq: 2n }]);
  });

  it("after a reconnect are shown below the line about it, without a rule", async () => {
    const fixture = new Fixture();
    await fixture.connect(["yoda"]);
    await fixture.chat.enter("open yoda");
    fixture.shown();
    await fixture.disconnect();
    fixture.clock.advance(2_000);
    await fixture.connect(["yoda"], [fixture.entry("yoda", "meanwhile", { live: false })]);
    expect(fixture.shown()).toEqual([
      expect.stringContaining("is lost"),
      "14:00 · Connected again.",
      "1 new since 14:00: yoda 1",
      "14:00 yoda: meanwhile",
    ]);
    expect(fixture.read.at(-1)).toEqual({ conversationId: fixture.idOf("yoda"), seq: 1n });
  });

  it("that had arrived are shown when the connection is lost before the rest arrives", async () => {
    const fixture = new Fixture();
    await fixture.connect();
    fixture.shown();
    await fixture.disconnect();
    await fixture.welcome();
    await fixture.chat.take(fixture.entry("yoda", "one", { live: false }));
    await fixture.disconnect();
    await fixture.connect([], [fixture.entry("yoda", "two", { live: false })]);
    const said = fixture.shown().filter((line) => line.includes("yoda → you"));
    expect(said).toEqual(["14:00 yoda → you: one", "14:00 yoda → you: two"]);
  });

  it("are all shown when a stream is replaced before the rest arrives", async () => {
    const fixture = new Fixture();
    await fixture.welcome();
    await fixture.chat.take(fixture.entry("yoda", "one", { live: false }));
    await fixture.connect([], [fixture.entry("yoda", "two", { live: false })]);
    const said = fixture.shown().filter((line) => line.includes("yoda → you"));
    expect(said).toEqual(["14:00 yoda → you: one", "14:00 yoda → you: two"]);
  });
});

// Presence and the connection as the chat reports them.
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { Event } from "../../../gen/parley/chat/v1/event.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { Fixture, live, user } from "./fixture.ts";

const raw: Event = { kind: undefined };

describe("other users", () => {
  it("are reported in one line for changes within 500 ms, and not at all when they return within it", async () => {
    const fixture = await live();
    const cameOnline = ["a", "b", "c"].map(user);
    await fixture.chat.take({ type: "presence", cameOnline, wentOffline: [], raw });
    await fixture.chat.take({ type: "presence", cameOnline: [user("d")], wentOffline: [user("yoda")], raw });
    await fixture.chat.take({ type: "presence", cameOnline: [user("yoda")], wentOffline: [], raw });
    expect(fixture.shown()).toEqual([]);
    fixture.clock.advance(500);
    expect(fixture.shown()).toEqual(["14:00 · a, b, c and d came online"]);
  });

  it("do not include the user", async () => {
    const fixture = new Fixture();
    await fixture.connect(["luke", "yoda"]);
    expect(fixture.shown()[0]).toBe("Connected to server:1 as luke; online: yoda.");
    await fixture.chat.take({ type: "presence", cameOnline: [user("luke")], wentOffline: [], raw });
    fixture.clock.advance(500);
    expect(fixture.shown().slice(1)).toEqual([]);
  });

  it("are counted if they are many, instead of named", async () => {
    const fixture = await live();
    const cameOnline = Array.from({ length: 40 }, (_, index) => user(`u${String(index).padStart(2, "0")}`));
    await fixture.chat.take({ type: "presence", cameOnline, wentOffline: [], raw });
    fixture.clock.advance(500);
    expect(fixture.shown()).toEqual([
      "14:00 · u00, u01, u02, u03, u04, u05, u06, u07 and 32 others came online",
    ]);
  });

  it("who were online before and after a lost connection are not reported", async () => {
    const fixture = await live({}, ["yoda", "leia"]);
    await fixture.disconnect();
    await fixture.connect([]);
    await fixture.chat.take({ type: "presence", cameOnline: [user("yoda")], wentOffline: [], raw });
    fixture.clock.advance(12_000);
    expect(fixture.shown().filter((line) => line.includes("line"))).toEqual(["14:00 · leia went offline"]);
  });

  it("are listed by /who", async () => {
    const fixture = await live();
    await fixture.chat.enter("who");
    expect(fixture.shown()).toEqual([
      "Other users online:",
      "  leia  bot, online",
      "  vader  last online 5 min ago",
    ]);
    await fixture.chat.enter("who soon");
    expect(fixture.shown()).toEqual([expect.stringMatching(/^Error: "soon" is not a span of time/)]);
  });
});

describe("the connection", () => {
  it("is reported in two lines, however many attempts fail", async () => {
    const fixture = await live();
    for (let attempt = 0; attempt < 5; attempt++) {
      await fixture.disconnect();
      fixture.clock.advance(2_000);
      const state = { phase: "connecting", attempt } as const;
      fixture.state = state;
      await fixture.chat.take({ type: "state", state });
    }
    await fixture.connect(["yoda"]);
    expect(fixture.shown()).toEqual([
      "14:00 · The connection to server:1 is lost (Connection dropped). Messages you send now wait until it is back.",
      "14:00 · Connected again.",
    ]);
  });

  it("is not reported when it is back within 2 s", async () => {
    const fixture = await live();
    await fixture.disconnect();
    await fixture.connect(["yoda"]);
    fixture.clock.advance(60_000);
    expect(fixture.shown()).toEqual([]);
  });

  it("need not be live to open a conversation", async () => {
    const fixture = await live();
    await fixture.disconnect(
      new RpcError({ code: status.UNAVAILABLE, reason: "SERVER_STOPPING", message: "The server stops." }),
    );
    fixture.clock.advance(2_000);
    await fixture.chat.enter("open leia");
    expect(fixture.shown()).toEqual([
      "14:00 · The connection to server:1 is lost (the server is stopping). Messages you send now wait until it is back.",
      "14:00 · Not connected: it is not known yet whether leia exists. Messages you send now wait.",
    ]);
    expect(fixture.prompt).toBe("leia> ");
    await fixture.chat.enter("/who");
    expect(fixture.shown().at(-1)).toBe("Error: /who: lost");
  });
});

// The warning before the server's idle time-out: when it appears, and what postpones it.
import { expect, it } from "vitest";
import { Fixture } from "./fixture.ts";

const WARNING = /· You will be logged out in 10 s, because you gave no command for a long time\. To stay, /;

/** A connected chat at a server with a time-out of one minute. */
async function withTimeOut(options: ConstructorParameters<typeof Fixture>[0] = {}): Promise<Fixture> {
  const fixture = new Fixture(options);
  fixture.limits = {
    maxContentBytes: 0,
    maxRequestBytes: 0,
    maxCommandsPerRequest: 0,
    maxCursors: 0,
    maxStreamsPerSession: 0,
    maxCallsPerSecond: 0,
    maxOnlineSessions: 0,
    idleTimeout: { seconds: 60n, nanos: 0 },
  };
  await fixture.connect(["yoda"]);
  fixture.shown();
  return fixture;
}

it("appears ten seconds before it, once", async () => {
  const fixture = await withTimeOut();
  fixture.clock.advance(49_999);
  expect(fixture.shown()).toEqual([]);
  fixture.clock.advance(1);
  expect(fixture.shown()).toEqual([expect.stringMatching(WARNING)]);
  fixture.clock.advance(120_000);
  expect(fixture.shown()).toEqual([]);
});

it("is postponed by commands that succeed and messages that are stored, and by nothing else", async () => {
  const fixture = await withTimeOut();
  for (const line of ["/who", "/help", "open yoda", "/history 5"]) {
    fixture.clock.advance(49_000);
    await fixture.chat.enter(line);
  }
  fixture.clock.advance(49_000);
  await fixture.chat.enter("hi");
  await fixture.ack(0);
  fixture.shown();
  fixture.clock.advance(49_000);
  await fixture.chat.enter("/nonsense");
  await fixture.chat.enter("/open nobody");
  await fixture.chat.enter("not stored yet");
  fixture.chat.edited("typing");
  await fixture.chat.enter("");
  await fixture.chat.take(fixture.entry("yoda", "hello"));
  fixture.clock.advance(999);
  fixture.shown();
  fixture.clock.advance(1);
  expect(fixture.shown()).toEqual([expect.stringMatching(WARNING)]);
});

it("is answered by Enter on an empty line, which is reported as activity only then", async () => {
  const fixture = await withTimeOut();
  await fixture.chat.enter("");
  expect(fixture.activity).toBe(0);
  fixture.clock.advance(50_000);
  fixture.shown();
  await fixture.chat.enter("");
  expect(fixture.activity).toBe(1);
  expect(fixture.shown()).toEqual([expect.stringMatching(/· You stay logged in\.$/)]);
  await fixture.chat.enter("");
  expect(fixture.activity).toBe(1);
  fixture.clock.advance(50_000);
  expect(fixture.shown()).toEqual([expect.stringMatching(WARNING)]);
});

it("appears in plain lines for a user, and not for a script", async () => {
  const user = await withTimeOut({ plain: true, isTyped: true });
  user.clock.advance(50_000);
  expect(user.shown()).toEqual([expect.stringMatching(/^You will be logged out in 10 s/)]);
  const script = await withTimeOut({ plain: true });
  script.clock.advance(60_000);
  expect(script.shown()).toEqual([]);
});

it("does not appear without a time-out", async () => {
  const fixture = new Fixture();
  await fixture.connect();
  fixture.shown();
  fixture.clock.advance(10 * 86_400_000);
  expect(fixture.shown()).toEqual([]);
});

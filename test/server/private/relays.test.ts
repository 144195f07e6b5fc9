// Tests how many relays a user may have open, over all sessions.
import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { Outbox } from "../../../rpc/calls/outbox.ts";
import { limits } from "../../../server/limits.ts";
import { Agreements } from "../../../server/private/agreements.ts";
import type { RelayHalf } from "../../../server/private/relay-half.ts";
import { Relays } from "../../../server/private/relays.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const leia = { userId: 1, username: "leia" };
const han = { userId: 2, username: "han" };

function fixture() {
  const clock = new ManualClock();
  const agreements = new Agreements(clock);
  const relays = new Relays(agreements, clock);
  let id = 0;
  /** Adds the half of a device of leia, in an introduction of its own. */
  const enter = (sessionId: number): RelayHalf => {
    const introductionId = `i${++id}`;
    agreements.add(
      { id: introductionId, userIds: [leia.userId, han.userId], deviceIds: [sessionId, 1_000] },
      60_000,
    );
    const outbox = new Outbox(Object.assign(new EventEmitter(), { write: () => true }), {
      softBytes: limits.relaySoftBytes,
      hardBytes: limits.relayHardBytes,
      maxFrameBytes: 1,
    });
    return relays.enter({ user: leia, sessionId, deviceId: sessionId }, introductionId, outbox);
  };
  return { enter };
}

test("a user has at most 64 relays, whatever the number of sessions", () => {
  const { enter } = fixture();
  const halves = Array.from({ length: limits.relaysPerUser }, (_, index) => enter(1 + (index % 8)));
  const refused = expect.objectContaining({
    reason: Reason.RATE_LIMITED,
    message: "A user may have at most 64 relays at the same time.",
  });
  expect(() => enter(9)).toThrow(refused);
  // A relay counts until it is over, also if its session has ended.
  halves[0]?.[Symbol.dispose]();
  using _half = enter(9);
  expect(() => enter(9)).toThrow(refused);
});

test("a session has at most 16 relays", () => {
  const { enter } = fixture();
  for (let count = 0; count < limits.relaysPerSession; count++) enter(1);
  expect(() => enter(1)).toThrow(
    expect.objectContaining({ message: "A session may have at most 16 relays at the same time." }),
  );
  enter(2);
});

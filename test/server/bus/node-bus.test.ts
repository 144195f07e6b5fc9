// The ends of a bus on two nodes: every kind of message arrives as it was published.
import { expect, test } from "vitest";
import { Message } from "../../../gen/parley/bus/v1/bus.ts";
import { Feature } from "../../../gen/parley/chat/v1/event.ts";
import type { BusMessage, Topic } from "../../../server/bus/bus.ts";
import { NodeBus } from "../../../server/bus/node-bus.ts";
import { SharedBus } from "../../support/shared-bus.ts";

const messages: readonly (readonly [Topic, BusMessage])[] = [
  ["everyone", { kind: "look", position: 2 ** 53 - 1 }],
  [
    "user:12",
    {
      kind: "ephemeral",
      feature: Feature.MARKERS,
      key: "k",
      piece: new Uint8Array([1, 2, 255]),
      except: { sessionId: 7, processId: "p" },
    },
  ],
  [
    "user:12",
    {
      kind: "ephemeral",
      feature: Feature.TYPING,
      key: undefined,
      piece: new Uint8Array(),
      except: undefined,
    },
  ],
  ["everyone", { kind: "presence-changed" }],
  ["everyone", { kind: "program-left", sessionId: 3, processId: "q" }],
  ["everyone", { kind: "session-ended", why: "ended", userId: 1, sessionId: 2 }],
  ["everyone", { kind: "session-ended", why: "timed-out", userId: 1, sessionId: 2 }],
];

async function connected(bus: SharedBus, unreadable: unknown[] = []) {
  const node = new NodeBus();
  await node.connect(bus.end(), (error) => unreadable.push(error));
  const received: BusMessage[] = [];
  for (const topic of ["everyone", "user:12"] as const)
    node.subscribe(topic, (message) => received.push(message));
  return { node, received, unreadable };
}

test("each kind of message reaches the subscribers of its topic on both nodes", async () => {
  const bus = new SharedBus();
  const [one, other] = [await connected(bus), await connected(bus)];
  for (const [topic, message] of messages) one.node.publish(topic, message);
  one.node.publish("user:13", { kind: "presence-changed" });
  const sent = messages.map(([, message]) => message);
  expect(one.received).toEqual(sent);
  expect(
    other.received.map((message) =>
      message.kind === "ephemeral" ? { ...message, piece: new Uint8Array(message.piece) } : message,
    ),
  ).toEqual(sent);
  other.node[Symbol.dispose]();
  one.node.publish("everyone", { kind: "presence-changed" });
  expect(other.received).toHaveLength(messages.length);
});

test("bytes that are no message are reported and dropped, and a kind of a later version is ignored", async () => {
  const bus = new SharedBus();
  const { received, unreadable } = await connected(bus);
  const stranger = bus.end();
  stranger.publish(new Uint8Array([255]));
  stranger.publish(
    Message.encode({ topic: "nobody", kind: { $case: "presenceChanged", value: {} } }).finish(),
  );
  expect(unreadable).toHaveLength(2);
  // Field 99 with an empty message.
  const later = [...Message.encode({ topic: "everyone", kind: undefined }).finish(), 0x9a, 0x06, 0x00];
  stranger.publish(new Uint8Array(later));
  expect([received.length, unreadable.length]).toEqual([0, 2]);
});

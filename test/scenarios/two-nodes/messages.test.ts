// Messages between users of two nodes over one store, also with a bus that loses, doubles or delays what it carries.
import { expect, test } from "vitest";
import type { TestStream } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { type Pair, sameSession, startFirst, startPair } from "../../support/pair.ts";
import { type Fault, FaultyBus } from "../../support/shared-bus.ts";
import { connectUser } from "../connect-user.ts";
import { waitUntilOffline, waitUntilOnline } from "../presence-events.ts";

/** What the stream has received of the log: seqs, "ack N", and the names of other events about entries. */
function received(stream: TestStream): string[] {
  return stream.events.flatMap(({ kind }) => {
    switch (kind?.$case) {
      case "entryAppended":
        return [String(kind.value.entry?.seq)];
      case "ack":
        return [`ack ${kind.value.seq}`];
      case "gap":
      case "omitted":
        return [`${kind.$case} ${kind.value.fromSeq}-${kind.value.toSeq}`];
      default:
        return [];
    }
  });
}

test("two nodes: messages and acks arrive on all streams, once and in one order", async () => {
  await using pair = await startPair({ users: ["leia", "han"] });
  const leia = await connectUser(pair.one, "leia");
  const leiaAtOther = await sameSession(leia.client, pair.other).connect().caughtUp();
  const han = await connectUser(pair.other, "han");
  const total = 40;
  for (let count = 1; count <= total / 2; count++) {
    leia.stream.send("han", `from one ${count}`);
    leiaAtOther.send("han", `from the other ${count}`, BigInt(1_000 + count));
  }
  await eventually(() => expect(received(han.stream)).toHaveLength(total));
  await eventually(() => expect(received(leia.stream)).toHaveLength(total));
  await eventually(() => expect(received(leiaAtOther)).toHaveLength(total));
  const seqs = Array.from({ length: total }, (_, index) => String(index + 1));
  expect(received(han.stream)).toEqual(seqs);
  // Each stream has the Acks of its own messages in the positions of their entries.
  const withoutAck = (each: string) => each.replace("ack ", "");
  expect(received(leia.stream).map(withoutAck)).toEqual(seqs);
  expect(received(leiaAtOther).map(withoutAck)).toEqual(seqs);
  const acks = (stream: TestStream) => received(stream).filter((each) => each.startsWith("ack"));
  expect([acks(leia.stream).length, acks(leiaAtOther).length]).toEqual([total / 2, total / 2]);
});

test("two nodes: a message that is sent again at the other node is answered as repeated, and stored once", async () => {
  await using pair = await startPair({ users: ["leia", "han"] });
  const leia = await connectUser(pair.one, "leia");
  const again = await sameSession(leia.client, pair.other).connect().caughtUp();
  const id = leia.stream.send("han", "once", 77n);
  const first = await leia.stream.next("ack");
  again.send("han", "once", id);
  const second = await again.next("ack");
  expect([first, second]).toMatchObject([
    { seq: 1n, repeatedSend: false },
    { seq: 1n, repeatedSend: true },
  ]);
  expect(await leia.client.textsWith("han")).toEqual(["once"]);
});

test("two nodes: when the second node starts, the users of the first stay online and keep their broadcasts", async () => {
  const clock = new ManualClock();
  const first = await startFirst({ users: ["leia", "han"], clock, presenceGraceMs: 10_000 });
  await using one = first.one;
  const leia = await connectUser(one, "leia");
  const han = await connectUser(one, "han");
  await leia.client.broadcast("before");
  await using other = await first.startOther();
  for (let seconds = 0; seconds < 30; seconds++) {
    clock.advance(1_000);
    await leia.client.whoelse();
  }
  expect(await leia.client.whoelse()).toEqual(["han"]);
  await leia.client.broadcast("after");
  await eventually(() => expect(received(han.stream)).toEqual(["1", "2"]));
  const everyone = { $case: "conversationId", value: `c${other.store.broadcastId}` } as const;
  expect(await sameSession(han.client, other).textsOf(everyone)).toEqual(["before", "after"]);
});

test("two nodes: a user with streams on both stays online when one of them ends", async () => {
  await using pair = await startPair({ users: ["leia", "han", "luke"] });
  const leia = await connectUser(pair.one, "leia");
  const han = await connectUser(pair.one, "han");
  await waitUntilOnline(leia.stream, "han");
  const hanAtOther = await sameSession(han.client, pair.other).connect().caughtUp();
  han.stream[Symbol.dispose]();
  await han.stream.ended;
  const luke = await connectUser(pair.other, "luke");
  await waitUntilOnline(leia.stream, "luke");
  expect(await luke.client.whoelse()).toEqual(["han", "leia"]);
  hanAtOther[Symbol.dispose]();
  await waitUntilOffline(leia.stream, "han");
  expect(await luke.client.whoelse()).toEqual(["leia"]);
});

test("two nodes: a log-out ends the streams of the session on both", async () => {
  await using pair = await startPair({ users: ["han"] });
  const han = await connectUser(pair.one, "han");
  const atOther = sameSession(han.client, pair.other);
  const stream = await atOther.connect().caughtUp();
  await han.client.logOut();
  expect(await stream.ended).toMatchObject({ reason: "SESSION_ENDED" });
  await expect(atOther.whoelse()).rejects.toMatchObject({ reason: "TOKEN_INVALID" });
});

interface Faulty extends AsyncDisposable {
  readonly pair: Pair;
  readonly clock: ManualClock;
  /** The faults of the next messages of the bus, in order; after the last one it delivers. */
  readonly faults: Fault[];
  /** Sends a message from leia at one node to han at the other. */
  send(text: string): Promise<void>;
  readonly han: TestStream;
}

async function faulty(): Promise<Faulty> {
  const clock = new ManualClock();
  const faults: Fault[] = [];
  const bus = new FaultyBus(() => faults.shift() ?? "none");
  const pair = await startPair({ users: ["leia", "han"], clock, bus });
  const leia = await pair.one.logIn("leia");
  const han = await (await pair.other.logIn("han")).connect({ features: [] }).caughtUp();
  return {
    pair,
    clock,
    faults,
    send: async (text) => void (await leia.send("han", text)),
    han,
    [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
  };
}

test("two nodes: a message of the bus that is lost leaves no hole in a live stream", async () => {
  await using scene = await faulty();
  await scene.send("1");
  await eventually(() => expect(received(scene.han)).toEqual(["1"]));
  scene.faults.push("lost");
  await scene.send("2");
  await scene.send("3");
  await eventually(() => expect(received(scene.han)).toEqual(["1", "2", "3"]));
});

test("two nodes: the last message arrives within a second when the bus has lost that it is there", async () => {
  await using scene = await faulty();
  scene.faults.push("lost", "lost", "lost", "lost");
  await scene.send("1");
  expect(received(scene.han)).toEqual([]);
  scene.clock.advance(1_000);
  await eventually(() => expect(received(scene.han)).toEqual(["1"]));
});

test("two nodes: a bus that is late, or says everything twice, shows no entry twice", async () => {
  await using scene = await faulty();
  scene.faults.push("delayed", "doubled", "delayed", "doubled");
  const texts = Array.from({ length: 12 }, (_, index) => String(index + 1));
  for (const text of texts) await scene.send(text);
  await eventually(() => expect(received(scene.han)).toEqual(texts));
});

// How long a device that was introduced may keep its connections: until its conversation is over, or its opening refused.
import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type ConverseResponse,
  Ending,
  PeerServiceClient,
} from "../../../gen/parley/peer/v1/peer_service.ts";
import { channelOver, dialPeerAt } from "../../../rpc/peers/peer-dial.ts";
import { peerLimits } from "../../../rpc/peers/peer-listener.ts";
import { fromServiceError, type RpcError } from "../../../rpc/status/status.ts";
import { Device, type Signal } from "./device.ts";

type Kind = NonNullable<Signal["kind"]>;

let yoda: Device;
let mallory: Device;
beforeEach(async () => {
  [yoda, mallory] = [await Device.make(), await Device.make()];
});
afterEach(async () => {
  expect(yoda.errors).toEqual([]);
  await yoda[Symbol.asyncDispose]();
  await mallory[Symbol.asyncDispose]();
});

/** A connection of one who does not hang up by itself. */
class Visit {
  readonly closed: Promise<unknown>;
  readonly #channel: Awaited<ReturnType<typeof channelOver>>;

  private constructor(socket: TLSSocket, channel: Awaited<ReturnType<typeof channelOver>>) {
    this.closed = once(socket, "close");
    this.#channel = channel;
  }

  /** @throws where it is cut at once */
  static async of(device: Device): Promise<Visit> {
    const socket = await connect(device);
    return new Visit(socket, await channelOver(socket));
  }

  /** Opens a conversation, or tries to. */
  converse(introductionId: string) {
    const call = this.#channel.client(PeerServiceClient).converse();
    const kinds: (Kind["$case"] | undefined)[] = [];
    const opened = Promise.withResolvers<void>();
    call.on("data", ({ signals }: ConverseResponse) => {
      kinds.push(...signals.map(({ kind }) => kind?.$case));
      opened.resolve();
    });
    const ended = new Promise<RpcError | undefined>((resolve) => {
      call.on("error", (error) => resolve(fromServiceError(error)));
      call.on("end", () => resolve(undefined));
    });
    const send = (kind: Kind): void => void call.write({ signals: [{ kind }] });
    send({ $case: "opening", value: { introductionId, clientName: "", clientVersion: "" } });
    return { kinds, opened: opened.promise, ended, send };
  }
}

function connect(device: Device): Promise<TLSSocket> {
  return dialPeerAt([yoda.address], { own: device.own, peer: yoda.fingerprint, timeoutMs: 5_000 });
}

test("a connection is closed after an opening that is refused, and the caller learns why", async () => {
  yoda.expect(mallory);
  const visit = await Visit.of(mallory);
  expect(await visit.converse("made-up").ended).toMatchObject({ reason: "INTRODUCTION_INVALID" });
  await visit.closed;
});

test("a connection is closed when its conversation is over, after the last that is said there", async () => {
  const { introductionId, arrived } = yoda.expect(mallory);
  const visit = await Visit.of(mallory);
  const call = visit.converse(introductionId);
  const { end } = await arrived;
  end.conversation.send("well met");
  call.send({
    $case: "line",
    value: { number: 1n, time: undefined, content: { $case: "text", value: "hi" } },
  });
  call.send({ $case: "goodbye", value: { ending: Ending.STOPPED } });
  expect((await end.ended).how).toMatchObject({ kind: "goodbye", by: "them" });
  await visit.closed;
  // In order: with all that was on its way, and a status.
  expect(call.kinds).toEqual(expect.arrayContaining(["opening", "line", "marks"]));
  expect((await call.ended)?.reason).toBeUndefined();
});

test("a call that is refused beside a conversation does not end it", async () => {
  const { introductionId, arrived } = yoda.expect(mallory);
  const visit = await Visit.of(mallory);
  const call = visit.converse(introductionId);
  await call.opened;
  // The connection takes calls as before.
  for (const another of [introductionId, "made-up"]) {
    expect(await visit.converse(another).ended).toMatchObject({ reason: "INTRODUCTION_INVALID" });
  }
  const { end } = await arrived;
  call.send({
    $case: "line",
    value: { number: 1n, time: undefined, content: { $case: "text", value: "hi" } },
  });
  await end.until(({ lines }) => lines.length === 1);
  call.send({ $case: "goodbye", value: { ending: Ending.STOPPED } });
  await visit.closed;
});

test("of several connections for one introduction those that are not used for it are closed", async () => {
  const { introductionId, arrived } = yoda.expect(mallory);
  const visits = await Promise.all([1, 2, 3].map(() => Visit.of(mallory)));
  const [first, ...others] = visits;
  first?.converse(introductionId);
  await Promise.all(others.map(({ closed }) => closed));
  const { end } = await arrived;
  expect(end.conversation.isOver).toBe(false);
  await expect(Visit.of(mallory)).rejects.toThrow();
});

test("connections are kept while another introduction of the same device is good", async () => {
  const first = yoda.expect(mallory);
  const second = yoda.expect(mallory);
  const visits = [await Visit.of(mallory), await Visit.of(mallory)];
  visits[0]?.converse(first.introductionId);
  await first.arrived;
  visits[1]?.converse(second.introductionId);
  await second.arrived;
});

test.each([
  ["is taken back", 60_000],
  ["has lapsed", 2_000],
])("a connection is closed when the introduction that it came for %s", async (how, lifetimeMs) => {
  const { takeBack } = yoda.expect(mallory, { lifetimeMs });
  const visit = await Visit.of(mallory);
  if (how === "is taken back") takeBack();
  await visit.closed;
});

test("a device has eight connections at most, and does not keep others out", async () => {
  const { introductionId } = yoda.expect(mallory);
  const visits: Visit[] = [];
  for (let count = 0; count < 8; count++) visits.push(await Visit.of(mallory));
  for (let count = 0; count < peerLimits.connections; count++) {
    await expect(Visit.of(mallory)).rejects.toThrow();
  }
  await using luke = await Device.make();
  const { arrived, introductionId: ofLuke } = yoda.expect(luke);
  await luke.call(yoda, ofLuke);
  await arrived;
  // Those that stand are as good as before.
  await visits[7]?.converse(introductionId).opened;
});

test("one who does not let go of its connections is cut after a while", async () => {
  const { takeBack } = yoda.expect(mallory);
  for (let count = 0; count < 8; count++) (await connect(mallory)).pause();
  takeBack();
  yoda.expect(mallory);
  await expect(Visit.of(mallory)).rejects.toThrow();
  await expect
    .poll(() =>
      Visit.of(mallory).then(
        () => "in",
        () => "out",
      ),
    )
    .toBe("in");
});

// The random moves of the model test: which reader does what, and how a move is made.
import fc from "fast-check";
import { delay } from "../../time/wait.ts";
import type { TestServer } from "../support/server.ts";
import type { Reader } from "./reader.ts";

export const names = ["leia", "han", "luke"] as const;

/** The relative frequency of each move. */
const weights = {
  send: 8,
  broadcast: 4,
  sendByCall: 3,
  broadcastByCall: 2,
  repeatByCall: 2,
  connect: 6,
  follow: 2,
  drop: 5,
  pause: 3,
  resume: 3,
  flood: 2,
  wait: 4,
  restart: 1,
} as const;

export interface Move {
  readonly move: keyof typeof weights;
  /** The index in `names` of the reader who moves. */
  readonly who: number;
  /** The distance in `names` from that reader to the recipient of direct messages. */
  readonly toward: number;
  /** A count or a duration, depending on the move. */
  readonly count: number;
}

const move: fc.Arbitrary<Move> = fc.record({
  move: fc.oneof(
    ...Object.entries(weights).map(([name, weight]) => ({
      weight,
      arbitrary: fc.constant(name as keyof typeof weights),
    })),
  ),
  who: fc.nat(names.length - 1),
  toward: fc.integer({ min: 1, max: names.length - 1 }),
  count: fc.integer({ min: 1, max: 12 }),
});

export const moveLists = fc.array(move, { minLength: 5, maxLength: 40 });

/** A few of these texts are more than an outbox or a flow-control window has room for. */
const LARGE = "x".repeat(30_000);
const LARGE_AT_A_TIME = 12;

/** The duration of a wait for each count, ms. */
const WAIT_MS = 5;

export async function applyMove(
  { move, who, toward, count }: Move,
  readers: readonly Reader[],
  server: TestServer,
): Promise<void> {
  for (const reader of readers) reader.readEvents();
  const reader = readers[who];
  const to = readers[(who + toward) % readers.length]?.name;
  if (reader === undefined || to === undefined) throw new Error("the move names no reader");
  switch (move) {
    case "send":
      for (let sent = 0; sent < count; sent++) reader.send(to, "on the stream");
      return;
    case "broadcast":
      for (let sent = 0; sent < count; sent++) reader.send(undefined, "on the stream, to all");
      return;
    case "sendByCall":
      return reader.sendByCall(to, "by a call");
    case "broadcastByCall":
      return reader.sendByCall(undefined, "by a call, to all");
    case "repeatByCall":
      return reader.repeatByCall();
    case "connect":
    case "follow":
      reader.open(move);
      return;
    case "drop":
      return reader.drop();
    case "pause":
      reader.pause();
      return;
    case "resume":
      reader.resume();
      return;
    case "flood":
      await Promise.all(Array.from({ length: count * LARGE_AT_A_TIME }, () => reader.sendByCall(to, LARGE)));
      return;
    case "wait":
      // It waits for no event, so that the next move happens at any moment of the server's work, or after a grace period.
      await delay(count * WAIT_MS);
      return;
    case "restart":
      await Promise.all([server.stop(), ...readers.map((each) => each.waitForServerStop())]);
      await server.start();
      await Promise.all(readers.map(isConnected));
      return;
  }
}

/** Resolves when the channel of the reader, which retries with a growing delay, has reconnected. */
function isConnected({ client }: Reader): Promise<void> {
  return new Promise((resolve, reject) => {
    client.auth.waitForReady(Date.now() + 10_000, (error) => (error ? reject(error) : resolve()));
  });
}

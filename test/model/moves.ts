// A random life of three readers: who does what, one move after the other, and how a move is made.
import fc from "fast-check";
import type { TestServer } from "../support/server.ts";
import type { Reader } from "./reader.ts";

export const names = ["leia", "han", "luke"] as const;

/** How often each move is made, of the sum of all. */
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
  /** The place in `names` of the one who moves. */
  readonly who: number;
  /** How many places further on the other one of a direct conversation is. */
  readonly toward: number;
  /** How many, or how long; what of depends on the move. */
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

export const lives = fc.array(move, { minLength: 5, maxLength: 40 });

/** A few of them are more than an outbox takes before it falls back to the store, or a connection holds in flight. */
const LARGE = "x".repeat(30_000);
const LARGE_AT_A_TIME = 12;

/** How much longer a wait is with each count, ms. */
const WAIT_MS = 5;

export async function make(
  { move, who, toward, count }: Move,
  readers: readonly Reader[],
  server: TestServer,
): Promise<void> {
  for (const reader of readers) reader.takeAll();
  const reader = readers[who];
  const to = readers[(who + toward) % readers.length]?.name;
  if (reader === undefined || to === undefined) throw new Error("nobody to move");
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
      // For no event: it lets the next move meet the server at any moment of its work, or with a grace run out.
      await new Promise((resolve) => setTimeout(resolve, count * WAIT_MS));
      return;
    case "restart":
      await Promise.all([server.stop(), ...readers.map((one) => one.goodBye())]);
      await server.start();
      await Promise.all(readers.map(isConnected));
      return;
  }
}

/** Resolves once the reader's channel, which waits longer and longer between its tries, has found the server again. */
function isConnected({ client }: Reader): Promise<void> {
  return new Promise((resolve, reject) => {
    client.auth.waitForReady(Date.now() + 10_000, (error) => (error ? reject(error) : resolve()));
  });
}

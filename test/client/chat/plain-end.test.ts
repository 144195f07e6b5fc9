// How a plain chat ends after its input: with the last ack, or after a minute without a connection.
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { runPlain } from "../../../client/cli/chat/plain/plain.ts";
import { PlainIO } from "../../../client/cli/terminal/plain-io.ts";
import type { LinkEvent } from "../../../client/link/model/events.ts";
import { askingSettings } from "./fake-private-chats.ts";
import { Fixture } from "./fixture.ts";

/** Events of a link that a test pushes one by one. */
class Events implements AsyncIterable<LinkEvent> {
  readonly #queue: LinkEvent[] = [];
  #wake: (() => void) | undefined;

  push(...events: LinkEvent[]): void {
    this.#queue.push(...events);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LinkEvent> {
    for (;;) {
      const event = this.#queue.shift();
      if (event !== undefined) yield event;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

function begin() {
  const fixture = new Fixture({ plain: true });
  const events = new Events();
  const input = new PassThrough();
  const io = new PlainIO({ input, output: new PassThrough().resume() });
  const interrupted = new AbortController();
  const link = { ...fixture.link, events };
  const outcome = runPlain({
    link,
    address: "server:1",
    me: "luke",
    isNewLogin: true,
    privateChats: fixture.privates,
    privateSettings: askingSettings,
    io,
    interrupted: interrupted.signal,
    clock: fixture.clock,
  });
  return { fixture, events, input, outcome, interrupted };
}

const live: LinkEvent = { type: "state", state: { phase: "live" } };

it("waits for the last ack, however long the link takes", async () => {
  const { fixture, events, input, outcome } = begin();
  const settled = Promise.withResolvers<void>();
  fixture.settled = settled.promise;
  events.push(live);
  input.end();
  await fixture.clock.timer();
  fixture.clock.advance(59_000);
  settled.resolve();
  expect(await outcome).toEqual({ kind: "logout" });
});

it("ends if the connection does not come back within a minute", async () => {
  const { fixture, events, input, outcome } = begin();
  fixture.settled = new Promise(() => undefined);
  events.push(live);
  input.end();
  await fixture.clock.timer();
  fixture.clock.advance(60_000);
  expect(await outcome).toEqual({ kind: "unsent", messages: 0 });
});

it("reads nothing if the first attempt to connect fails", async () => {
  const { events, input, outcome } = begin();
  input.write("message yoda hi\n");
  const cause = new Error("refused");
  events.push({ type: "state", state: { phase: "waiting", retryTime: new Date(), cause } });
  expect(await outcome).toEqual({ kind: "cannot-connect", cause });
  expect(String(input.read())).toBe("message yoda hi\n");
});

it("ends at a signal, even while it waits", async () => {
  const { fixture, events, outcome, interrupted } = begin();
  fixture.settled = new Promise(() => undefined);
  events.push(live);
  interrupted.abort("SIGTERM");
  expect(await outcome).toEqual({ kind: "signal", signal: "SIGTERM" });
});

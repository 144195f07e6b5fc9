// A Connect or Follow stream of a check: keeps all received events in order, and waits for events.
import type { ClientDuplexStream, ClientReadableStream } from "@grpc/grpc-js";
import { type Command, ConnectRequest, ConnectResponse } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Event } from "../../gen/parley/chat/v1/event.ts";
import { fromServiceError, type RpcError } from "../../rpc/status/status.ts";
import { repeatedField } from "../../rpc/wire/raw-fields.ts";
import { StrictReader } from "../../rpc/wire/strict-reader.ts";
import { waitFor } from "../../time/wait.ts";
import { CheckFailure, ONE_SESSION, RetryLater, Skip, show } from "./expect.ts";

export type Case = NonNullable<Event["kind"]>["$case"];
export type EventOf<C extends Case> = Extract<NonNullable<Event["kind"]>, { $case: C }>["value"];

/** An event, and its encoded bytes. */
export interface Received {
  readonly event: Event;
  readonly bytes: Uint8Array;
}

/** The number of the field `events` of a frame. */
const EVENTS = 1;

/** @throws RetryLater if the stream ended because the server limits the rate of calls */
function checkRetryLater(error: RpcError | undefined): void {
  if (error?.reason === "RATE_LIMITED" && error.retryDelayMs !== undefined)
    throw new RetryLater(error.retryDelayMs);
}

export class Stream {
  readonly received: Received[] = [];
  readonly #call: ClientDuplexStream<Uint8Array, Buffer> | ClientReadableStream<Buffer>;
  readonly #patienceMs: number;
  readonly #isAdditional: boolean;
  #taken = 0;
  #ending: { readonly error: RpcError | CheckFailure | undefined } | undefined;
  #wake = Promise.withResolvers<void>();

  /** @param isAdditional whether its user may be online with another session, which some servers do not allow */
  constructor(
    call: ClientDuplexStream<Uint8Array, Buffer> | ClientReadableStream<Buffer>,
    patienceMs: number,
    isAdditional: boolean,
  ) {
    this.#call = call;
    this.#patienceMs = patienceMs;
    this.#isAdditional = isAdditional;
    call.on("data", (frame: Buffer) => this.#read(frame));
    call.on("error", (error: Error) => this.#end(fromServiceError(error)));
    call.on("end", () => this.#end(undefined));
  }

  get events(): Event[] {
    return this.received.map(({ event }) => event);
  }

  write(...commands: Command[]): void {
    this.writeBytes(ConnectRequest.encode({ commands }).finish());
  }

  /** Sends any bytes as one frame. */
  writeBytes(frame: Uint8Array): void {
    (this.#call as ClientDuplexStream<Uint8Array, Buffer>).write(frame);
  }

  /** Half-closes the stream. */
  finish(): void {
    (this.#call as ClientDuplexStream<Uint8Array, Buffer>).end();
  }

  /** Stops reading until `resume`, so that the flow-control window fills. */
  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  cancel(): void {
    this.#call.cancel();
  }

  /** Waits for the next event of a kind, and skips the events before it. @throws Failure */
  async next<C extends Case>(
    $case: C,
    matches: (value: EventOf<C>) => boolean = () => true,
    what = `the next ${$case} of a stream`,
  ): Promise<EventOf<C>> {
    const end = performance.now() + this.#patienceMs;
    for (;;) {
      for (; this.#taken < this.received.length; this.#taken++) {
        const kind = this.received[this.#taken]?.event.kind;
        if (kind?.$case === $case && matches(kind.value as EventOf<C>)) {
          this.#taken++;
          return kind.value as EventOf<C>;
        }
      }
      await this.#change(what, $case, end);
    }
  }

  /** Waits until a condition on the received events is true. @throws Failure */
  async until(what: string, condition: () => boolean, expected = "it to arrive"): Promise<void> {
    const end = performance.now() + this.#patienceMs;
    while (!condition()) await this.#change(what, expected, end);
  }

  async caughtUp(): Promise<this> {
    await this.next("caughtUp", undefined, "CaughtUp after the backlog");
    return this;
  }

  /** Waits for the Ack of a send on this stream. @throws Failure if it is refused, or not answered */
  async acked(clientMessageId: bigint): Promise<EventOf<"ack">> {
    const isOfSend = (one: { clientMessageId: bigint }): boolean => one.clientMessageId === clientMessageId;
    const what = `the answer to the send with the client message id ${clientMessageId}`;
    let ack: EventOf<"ack"> | undefined;
    await this.until(
      what,
      () => {
        const refused = this.all("refused").find(isOfSend);
        if (refused !== undefined) throw new CheckFailure(what, "an Ack", `Refused ${show(refused.message)}`);
        ack = this.all("ack").find(isOfSend);
        return ack !== undefined;
      },
      "an Ack",
    );
    return ack as EventOf<"ack">;
  }

  all<C extends Case>($case: C): EventOf<C>[] {
    return this.events.flatMap(({ kind }) => (kind?.$case === $case ? [kind.value as EventOf<C>] : []));
  }

  /** Whether the stream has ended. */
  get hasEnded(): boolean {
    return this.#ending !== undefined;
  }

  /**
   * Waits for the end of the stream, and returns its error, or undefined for OK. @throws Failure if the stream does not
   * end
   */
  async ended(what = "the end of a stream", expected = "OK"): Promise<RpcError | undefined> {
    const end = performance.now() + this.#patienceMs;
    while (this.#ending === undefined) await this.#wait(what, `its end as ${expected}`, end);
    const { error } = this.#ending;
    if (error instanceof CheckFailure) throw error;
    checkRetryLater(error);
    return error;
  }

  async #change(what: string, expected: string, end: number): Promise<void> {
    if (this.#ending === undefined) return this.#wait(what, expected, end);
    const { error } = this.#ending;
    if (error instanceof CheckFailure) throw error;
    checkRetryLater(error);
    if (this.#isAdditional && error?.reason === "TOO_MANY_SESSIONS") throw new Skip(ONE_SESSION);
    throw new CheckFailure(
      what,
      expected,
      `the end of the stream (${error?.reason || show(error?.message ?? "OK")})`,
    );
  }

  async #wait(what: string, expected: string, end: number): Promise<void> {
    const { promise } = this.#wake;
    const { status } = await waitFor(promise, { ms: Math.max(0, end - performance.now()) });
    if (status === "late")
      throw new CheckFailure(what, expected, `nothing within ${this.#patienceMs / 1000} s`);
  }

  #read(frame: Buffer): void {
    try {
      const { events } = ConnectResponse.decode(new StrictReader(frame));
      const bytes = repeatedField(frame, EVENTS);
      for (const [index, event] of events.entries()) {
        this.received.push({ event, bytes: bytes[index] ?? frame.subarray(0, 0) });
      }
    } catch (error) {
      this.#end(new CheckFailure("a frame of events", "a ConnectResponse", `other bytes (${String(error)})`));
      this.cancel();
    }
    this.#changed();
  }

  #end(error: RpcError | CheckFailure | undefined): void {
    this.#ending ??= { error };
    this.#changed();
  }

  #changed(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

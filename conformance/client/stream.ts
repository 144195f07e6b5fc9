// One Connect or Follow stream as a check sees it: every event in order, and waiting for one of them, for a while.
import type { ClientDuplexStream, ClientReadableStream } from "@grpc/grpc-js";
import { type Command, ConnectRequest, ConnectResponse } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Event } from "../../gen/parley/chat/v1/event.ts";
import { fromServiceError, type RpcError } from "../../rpc/status/status.ts";
import { repeatedField } from "../../rpc/wire/raw-fields.ts";
import { StrictReader } from "../../rpc/wire/strict-reader.ts";
import { Failure, ONE_SESSION, PutOff, Skip, show } from "./expect.ts";

export type Case = NonNullable<Event["kind"]>["$case"];
export type EventOf<C extends Case> = Extract<NonNullable<Event["kind"]>, { $case: C }>["value"];

/** An event, and the bytes that it came in. */
export interface Received {
  readonly event: Event;
  readonly bytes: Uint8Array;
}

/** The field of the events in a frame. */
const EVENTS = 1;

/** @throws PutOff where the stream ended since the server takes no more for a while */
function checkPutOff(error: RpcError | undefined): void {
  if (error?.reason === "RATE_LIMITED" && error.retryDelayMs !== undefined)
    throw new PutOff(error.retryDelayMs);
}

export class Stream {
  readonly received: Received[] = [];
  readonly #call: ClientDuplexStream<Uint8Array, Buffer> | ClientReadableStream<Buffer>;
  readonly #patienceMs: number;
  readonly #isFurther: boolean;
  #taken = 0;
  #ending: { readonly error: RpcError | Failure | undefined } | undefined;
  #wake = Promise.withResolvers<void>();

  /** @param isFurther its user may be online with another session as well, which not every server allows */
  constructor(
    call: ClientDuplexStream<Uint8Array, Buffer> | ClientReadableStream<Buffer>,
    patienceMs: number,
    isFurther: boolean,
  ) {
    this.#call = call;
    this.#patienceMs = patienceMs;
    this.#isFurther = isFurther;
    call.on("data", (frame: Buffer) => this.#read(frame));
    call.on("error", (error: Error) => this.#over(fromServiceError(error)));
    call.on("end", () => this.#over(undefined));
  }

  get events(): Event[] {
    return this.received.map(({ event }) => event);
  }

  write(...commands: Command[]): void {
    this.writeBytes(ConnectRequest.encode({ commands }).finish());
  }

  /** One frame, of any bytes. */
  writeBytes(frame: Uint8Array): void {
    (this.#call as ClientDuplexStream<Uint8Array, Buffer>).write(frame);
  }

  /** Closes the client's side. */
  finish(): void {
    (this.#call as ClientDuplexStream<Uint8Array, Buffer>).end();
  }

  /** Reads nothing more until `resume`: the server's window fills. */
  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  cancel(): void {
    this.#call.cancel();
  }

  /** The next event of a kind after those taken before; others between are passed over. @throws Failure */
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

  /** Waits until what came satisfies a check. @throws Failure */
  async until(what: string, isThere: () => boolean, expected = "it to come"): Promise<void> {
    const end = performance.now() + this.#patienceMs;
    while (!isThere()) await this.#change(what, expected, end);
  }

  async caughtUp(): Promise<this> {
    await this.next("caughtUp", undefined, "CaughtUp after the backlog");
    return this;
  }

  /** The Ack of a send of this stream. @throws Failure where it is refused, or nothing comes */
  async acked(clientMessageId: bigint): Promise<EventOf<"ack">> {
    const isOfSend = (one: { clientMessageId: bigint }): boolean => one.clientMessageId === clientMessageId;
    const what = `the answer to the send with the client message id ${clientMessageId}`;
    let ack: EventOf<"ack"> | undefined;
    await this.until(
      what,
      () => {
        const refused = this.all("refused").find(isOfSend);
        if (refused !== undefined) throw new Failure(what, "an Ack", `Refused ${show(refused.message)}`);
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

  /** Whether it has ended by now. */
  get isOver(): boolean {
    return this.#ending !== undefined;
  }

  /** How it ended: undefined for OK. @throws Failure where it does not end */
  async ended(what = "the end of a stream", expected = "OK"): Promise<RpcError | undefined> {
    const end = performance.now() + this.#patienceMs;
    while (this.#ending === undefined) await this.#wait(what, `its end as ${expected}`, end);
    const { error } = this.#ending;
    if (error instanceof Failure) throw error;
    checkPutOff(error);
    return error;
  }

  async #change(what: string, expected: string, end: number): Promise<void> {
    if (this.#ending === undefined) return this.#wait(what, expected, end);
    const { error } = this.#ending;
    if (error instanceof Failure) throw error;
    checkPutOff(error);
    if (this.#isFurther && error?.reason === "TOO_MANY_SESSIONS") throw new Skip(ONE_SESSION);
    throw new Failure(
      what,
      expected,
      `the end of the stream (${error?.reason || show(error?.message ?? "OK")})`,
    );
  }

  async #wait(what: string, expected: string, end: number): Promise<void> {
    const { promise } = this.#wake;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Failure(what, expected, `nothing within ${this.#patienceMs / 1000} s`)),
      Math.max(0, end - performance.now()),
    );
    try {
      await Promise.race([promise, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #read(frame: Buffer): void {
    try {
      const { events } = ConnectResponse.decode(new StrictReader(frame));
      const bytes = repeatedField(frame, EVENTS);
      for (const [index, event] of events.entries()) {
        this.received.push({ event, bytes: bytes[index] ?? frame.subarray(0, 0) });
      }
    } catch (error) {
      this.#over(new Failure("a frame of events", "a ConnectResponse", `other bytes (${String(error)})`));
      this.cancel();
    }
    this.#changed();
  }

  #over(error: RpcError | Failure | undefined): void {
    this.#ending ??= { error };
    this.#changed();
  }

  #changed(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

// A byte stream to another device through the server's relay. The devices use TLS inside it, so the server cannot read
// the data.
import { Duplex } from "node:stream";
import {
  IntroductionServiceService,
  RelayRequest,
  type RelayResponse,
} from "../../../gen/parley/chat/v1/introduction_service.ts";
import { strictDefinition } from "../../../rpc/calls/decode.ts";
import { type BidiCall, openBidi } from "../../../rpc/dialling/client-stream.ts";
import type { Dialled } from "../../../rpc/dialling/dial.ts";
import { waitFor } from "../../../time/wait.ts";
import { BrokenStreamError } from "../../link/model/errors.ts";

/** The longest piece that the relay accepts, bytes. */
const PIECE_BYTES = 16 * 1024;
/** How long the end of a stream may take: the bytes that were written are sent, and the server ends the call, ms. */
const END_MS = 2_000;
/** Each piece is a message of its own; if two were joined into one frame, a decoder would keep only the second one. */
const outboxOptions = { softBytes: 128 * 1024, hardBytes: 1024 * 1024, maxFrameBytes: 1 };

const { relay } = strictDefinition(IntroductionServiceService);

export interface RelayOptions {
  readonly introductionId: string;
  readonly token: string;
  /** How long the other device may take to join, ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Resolves when both devices have joined.
 * @throws RpcError such as INTRODUCTION_NOT_FOUND or RELAY_PEER_GONE; Error after `timeoutMs` or an abort
 */
export async function openRelay(dialled: Dialled, options: RelayOptions): Promise<Duplex> {
  const call = openBidi(dialled, relay, options.token, outboxOptions);
  push(call, { $case: "opening", value: { introductionId: options.introductionId } });
  const responses = call[Symbol.asyncIterator]();
  try {
    const first = await waitFor(responses.next(), { ms: options.timeoutMs, signal: options.signal });
    if (first.status !== "done") throw new Error("The other device did not join the relay in time.");
    const kind = first.value.done === true ? undefined : first.value.value.kind;
    if (kind?.$case !== "joined")
      throw new BrokenStreamError("The first message of the relay is not Joined.");
    return new RelayStream(call, responses, kind.value.credit);
  } catch (error) {
    call[Symbol.dispose]();
    throw error;
  }
}

type Call = BidiCall<RelayResponse>;

function push(call: Call, kind: NonNullable<RelayRequest["kind"]>): void {
  call.outbox.push(RelayRequest.encode({ kind }).finish());
}

class RelayStream extends Duplex {
  readonly #call: Call;
  readonly #pumped: Promise<void>;
  #credit: number;
  #onCredit: (() => void) | undefined;
  #onRead: (() => void) | undefined;

  constructor(call: Call, responses: AsyncIterator<RelayResponse>, credit: number) {
    super({ allowHalfOpen: false });
    this.#call = call;
    this.#credit = credit;
    this.#pumped = this.#pump(responses).then(
      () => {
        this.push(null);
      },
      (error: unknown) => {
        this.destroy(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  override _read(): void {
    this.#onRead?.();
    this.#onRead = undefined;
  }

  override _write(chunk: Buffer, _encoding: string, written: (error?: Error | null) => void): void {
    this.#send(chunk).then(
      () => written(),
      (error: unknown) => written(error instanceof Error ? error : new Error(String(error))),
    );
  }

  override _final(finished: (error?: Error | null) => void): void {
    this.#call.end().then(
      () => finished(),
      (error: unknown) => finished(error instanceof Error ? error : new Error(String(error))),
    );
  }

  override _destroy(error: Error | null, destroyed: (error?: Error | null) => void): void {
    this.#onCredit?.();
    this.#onRead?.();
    void this.#hangUp();
    destroyed(error);
  }

  /**
   * Sends the bytes that were written, then ends the call. If the relay has changed bytes, the last ones are the TLS alert
   * from which the other device learns that. A cancelled call would lose them.
   */
  async #hangUp(): Promise<void> {
    await waitFor(this.#call.end(), { ms: END_MS });
    await waitFor(this.#pumped, { ms: END_MS });
    this.#call[Symbol.dispose]();
  }

  async #send(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length && !this.destroyed; ) {
      const size = Math.min(PIECE_BYTES, chunk.length - at, this.#credit);
      if (size === 0) {
        await new Promise<void>((resolve) => {
          this.#onCredit = resolve;
        });
        continue;
      }
      this.#credit -= size;
      push(this.#call, { $case: "data", value: chunk.subarray(at, at + size) });
      at += size;
      await this.#call.outbox.whenBelowSoft();
    }
  }

  /** Reads from the server only as fast as this stream is read, and discards what arrives after the end. */
  async #pump(responses: AsyncIterator<RelayResponse>): Promise<void> {
    for (let next = await responses.next(); next.done !== true; next = await responses.next()) {
      const { kind } = next.value;
      if (kind?.$case === "credit") {
        this.#credit += kind.value;
        this.#onCredit?.();
        this.#onCredit = undefined;
      } else if (kind?.$case === "data" && !this.destroyed && !this.push(kind.value)) {
        await new Promise<void>((resolve) => {
          this.#onRead = resolve;
        });
      }
    }
  }
}

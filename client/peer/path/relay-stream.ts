// A stream of bytes to another device through the server's relay: TLS runs inside, so the server carries what it cannot
// read.
import { Duplex } from "node:stream";
import {
  IntroductionServiceService,
  RelayRequest,
  type RelayResponse,
} from "../../../gen/parley/chat/v1/introduction_service.ts";
import { strictDefinition } from "../../../rpc/calls/decode.ts";
import { type BidiCall, openBidi } from "../../../rpc/dialling/client-stream.ts";
import type { Dialled } from "../../../rpc/dialling/dial.ts";
import { BrokenStreamError } from "../../link/model/errors.ts";
import { after, whenAborted } from "../../link/waiting.ts";

/** The longest piece that the relay takes, bytes. */
const PIECE_BYTES = 16 * 1024;
/** A piece is a message of its own: two of them joined would be one with the later half alone. */
const outboxOptions = { softBytes: 128 * 1024, hardBytes: 1024 * 1024, maxFrameBytes: 1 };

const { relay } = strictDefinition(IntroductionServiceService);

export interface RelayOptions {
  readonly introductionId: string;
  readonly token: string;
  /** How long the other device may take to come, ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Resolves when both devices are there.
 * @throws RpcError INTRODUCTION_NOT_FOUND, RELAY_PEER_GONE and what else ends a call; Error after the time
 */
export async function openRelay(dialled: Dialled, options: RelayOptions): Promise<Duplex> {
  const call = openBidi(dialled, relay, options.token, outboxOptions);
  push(call, { $case: "opening", value: { introductionId: options.introductionId } });
  const responses = call[Symbol.asyncIterator]();
  using late = after(options.timeoutMs);
  using stopped = whenAborted(options.signal);
  const givenUp = Promise.race([late.promise, stopped.promise]).then(() => {
    throw new Error("The other device did not come to the relay in time.");
  });
  try {
    const first = await Promise.race([responses.next(), givenUp]);
    const kind = first.done === true ? undefined : first.value.kind;
    if (kind?.$case !== "joined")
      throw new BrokenStreamError("The relay's first word was not that both are there.");
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
  #credit: number;
  #onCredit: (() => void) | undefined;
  #onRead: (() => void) | undefined;

  constructor(call: Call, responses: AsyncIterator<RelayResponse>, credit: number) {
    super({ allowHalfOpen: false });
    this.#call = call;
    this.#credit = credit;
    this.#pump(responses).then(
      () => this.push(null),
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
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
    this.#call[Symbol.dispose]();
    this.#onCredit?.();
    this.#onRead?.();
    destroyed(error);
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

  /** Takes from the server as fast as this stream is read, and no faster. */
  async #pump(responses: AsyncIterator<RelayResponse>): Promise<void> {
    for (let next = await responses.next(); next.done !== true; next = await responses.next()) {
      const { kind } = next.value;
      if (kind?.$case === "credit") {
        this.#credit += kind.value;
        this.#onCredit?.();
        this.#onCredit = undefined;
      } else if (kind?.$case === "data" && !this.push(kind.value)) {
        await new Promise<void>((resolve) => {
          this.#onRead = resolve;
        });
      }
      if (this.destroyed) return;
    }
  }
}

// A Converse call whose frames a test writes by hand.
import {
  type ConverseResponse,
  PeerServiceClient,
  type Signal,
} from "../../gen/parley/peer/v1/peer_service.ts";
import type { Dialled } from "../../rpc/dialling/dial.ts";
import { fromServiceError, type RpcError } from "../../rpc/status/status.ts";
import type { Device, End } from "../client/peer/device.ts";

export type Kind = NonNullable<Signal["kind"]>;

export const openingOf = (introductionId: string): Kind => ({
  $case: "opening",
  value: { introductionId, clientName: "m", clientVersion: "" },
});
export const lineOf = (number: bigint, text: string, time?: string): Kind => ({
  $case: "line",
  value: {
    number,
    time: time === undefined ? undefined : new Date(time),
    content: { $case: "text", value: text },
  },
});
export const marksOf = (received: bigint, read: bigint): Kind => ({
  $case: "marks",
  value: { received, read },
});

export const finished: Kind = { $case: "finished", value: {} };

/** A call whose frames are written by hand. */
export class RawCall {
  readonly responses: ConverseResponse[] = [];
  readonly ended: Promise<RpcError>;
  readonly #call: ReturnType<PeerServiceClient["converse"]>;
  readonly #opened = Promise.withResolvers<void>();

  constructor(dialled: Dialled) {
    this.#call = dialled.client(PeerServiceClient).converse();
    this.#call.on("data", (response: ConverseResponse) => {
      this.responses.push(response);
      this.#opened.resolve();
    });
    this.ended = new Promise((resolve) => {
      this.#call.on("error", (error) => resolve(fromServiceError(error)));
    });
  }

  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  send(...kinds: Kind[]): void {
    this.#call.write({ signals: kinds.map((kind) => ({ kind })) });
  }

  sendMany(signals: Signal[]): void {
    this.#call.write({ signals });
  }

  /** The kinds of the signals that have arrived. */
  get kinds(): (Kind["$case"] | undefined)[] {
    return this.responses.flatMap(({ signals }) => signals.map(({ kind }) => kind?.$case));
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }
}

/** Opens a conversation from one device to another that expects it. */
export async function admitted(from: Device, to: Device): Promise<{ call: RawCall; end: End }> {
  const { introductionId, arrived } = to.expect(from);
  const call = new RawCall(await from.dial(to));
  call.send(openingOf(introductionId));
  const { end } = await arrived;
  await call.opened;
  return { call, end };
}

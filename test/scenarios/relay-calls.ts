// Calls of Relay: what a device sends through the relay, and waiting for what it receives.
import type { ClientDuplexStream } from "@grpc/grpc-js";
import type { RelayRequest, RelayResponse } from "../../gen/parley/chat/v1/introduction_service.ts";
import type { TestClient } from "../support/client.ts";
import { TestCall } from "./introduction-calls.ts";

export class RelayCall extends TestCall<RelayResponse> {
  readonly #call: ClientDuplexStream<RelayRequest, RelayResponse>;

  constructor(call: ClientDuplexStream<RelayRequest, RelayResponse>) {
    super(call);
    this.#call = call;
  }

  write(kind: RelayRequest["kind"]): void {
    this.#call.write({ kind });
  }

  send(data: Buffer): void {
    this.write({ $case: "data", value: data });
  }

  halfClose(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  /** Stops reading. */
  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  /** Waits until the other device has joined. @returns the first credit, in bytes */
  async joined(): Promise<number> {
    const { kind } = await this.next();
    if (kind?.$case !== "joined") throw new Error(`${kind?.$case} instead of joined`);
    return kind.value.credit;
  }

  /** The next `length` bytes of data. Messages with credit in between are skipped. */
  async data(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let received = 0; received < length; ) {
      const { kind } = await this.next();
      if (kind?.$case !== "data") continue;
      pieces.push(kind.value);
      received += kind.value.length;
    }
    return Buffer.concat(pieces);
  }

  /** The next credit, in bytes. Messages with data in between are skipped. */
  async credit(): Promise<number> {
    for (;;) {
      const { kind } = await this.next();
      if (kind?.$case === "credit") return kind.value;
    }
  }

  /** The sum of all credit received after the first one, in bytes. */
  get creditGiven(): number {
    return this.messages.reduce((sum, { kind }) => sum + (kind?.$case === "credit" ? kind.value : 0), 0);
  }
}

/** Calls Relay, and sends the opening unless the id is null. */
export function openRelay({ introduction, metadata }: TestClient, introductionId: string | null): RelayCall {
  const call = new RelayCall(introduction.relay(metadata));
  if (introductionId !== null) call.write({ $case: "opening", value: { introductionId } });
  return call;
}

/** The calls of both devices, after they have joined. */
export async function joinRelay(
  one: TestClient,
  other: TestClient,
  id: string,
): Promise<[RelayCall, RelayCall]> {
  const calls: [RelayCall, RelayCall] = [openRelay(one, id), openRelay(other, id)];
  for (const call of calls) await call.joined();
  return calls;
}

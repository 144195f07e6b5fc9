// Two devices that have agreed on a private chat, and their calls of Relay.
import type { ClientDuplexStream } from "@grpc/grpc-js";
import type { RelayRequest, RelayResponse } from "../../gen/parley/chat/v1/introduction_service.ts";
import type { TestClient } from "../support/client.ts";
import { answer, ask, TestCall } from "./private.ts";

/** The id of an introduction that was answered yes. */
export async function agreed(caller: TestClient, callee: TestClient): Promise<string> {
  const { call, id } = await ask(caller, callee.grant?.user?.username ?? "");
  await answer(callee, id);
  await call.ended;
  return id;
}

export class Relaying extends TestCall<RelayResponse> {
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

  /** Half-closes. */
  finish(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  /** Reads nothing any more. */
  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  /** The credit that it may use now. */
  async joined(): Promise<number> {
    const { kind } = await this.next();
    if (kind?.$case !== "joined") throw new Error(`${kind?.$case} instead of joined`);
    return kind.value.credit;
  }

  /** The next so many bytes of data; credit that comes meanwhile is passed over. */
  async data(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let had = 0; had < length; ) {
      const { kind } = await this.next();
      if (kind?.$case !== "data") continue;
      pieces.push(kind.value);
      had += kind.value.length;
    }
    return Buffer.concat(pieces);
  }

  /** The next credit; data that comes meanwhile is passed over. */
  async credit(): Promise<number> {
    for (;;) {
      const { kind } = await this.next();
      if (kind?.$case === "credit") return kind.value;
    }
  }

  get creditGiven(): number {
    return this.messages.reduce((sum, { kind }) => sum + (kind?.$case === "credit" ? kind.value : 0), 0);
  }
}

/** Calls Relay; names the introduction unless that is null. */
export function relay({ introduction, metadata }: TestClient, introductionId: string | null): Relaying {
  const relaying = new Relaying(introduction.relay(metadata));
  if (introductionId !== null) relaying.write({ $case: "opening", value: { introductionId } });
  return relaying;
}

/** Both, joined. */
export async function joined(one: TestClient, other: TestClient, id: string): Promise<[Relaying, Relaying]> {
  const halves: [Relaying, Relaying] = [relay(one, id), relay(other, id)];
  for (const half of halves) await half.joined();
  return halves;
}

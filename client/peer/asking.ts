// Asking a user for a private chat: the question, the wait for a yes, and the way to the device that said it.
import type { IntroduceResponse } from "../../gen/parley/chat/v1/introduction_service.ts";
import { type Judgement, type PeerKeys, readPeer } from "./contacts.ts";
import { NotSaidError, type SignalStream } from "./conversation.ts";
import { type Desk, millis } from "./desk.ts";
import { type Path, reach } from "./reach.ts";

/** Lines held for one who is being asked. */
const MOST_HELD = 100;

/** A conversation that can begin. */
export interface Begun {
  readonly peer: PeerKeys;
  readonly judgement: Judgement;
  readonly stream: SignalStream;
  readonly path: Path;
}

export class Asking {
  readonly #desk: Desk;
  readonly #username: string;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #held: string[] = [];
  #steps: AsyncGenerator<IntroduceResponse> | undefined;

  constructor(desk: Desk, username: string) {
    this.#desk = desk;
    this.#username = username;
    this.#signal = AbortSignal.any([this.#abort.signal, desk.parts.closing]);
  }

  /** What is to be said on yes. */
  get held(): readonly string[] {
    return this.#held;
  }

  /** @throws NotSaidError where too much is held already */
  hold(text: string): void {
    if (this.#held.length >= MOST_HELD) throw new NotSaidError(`${this.#username} has not answered yet.`);
    this.#held.push(text);
  }

  takeBack(): void {
    this.#abort.abort();
  }

  /** Resolves once the user's devices are being asked. @throws RpcError, ConnectError, NotSaidError */
  async ask(direct: boolean): Promise<void> {
    const { calls, emit } = this.#desk.parts;
    const username = this.#username;
    await this.#desk.register();
    this.#steps = calls.introduce({ username, direct }, this.#signal);
    const first = await this.#steps.next();
    const step = first.done === true ? undefined : first.value.step;
    if (step?.$case !== "asked") throw takenBack();
    const { devices, timeout } = step.value;
    await emit({ type: "waiting", username, devices, timeoutMs: millis(timeout) });
  }

  /** From the yes to the conversation. @throws RpcError, ConnectError, KeyProblemError, NotSaidError where it was taken back */
  async begin(): Promise<Begun> {
    try {
      return await this.#begin();
    } catch (error) {
      throw this.#signal.aborted ? takenBack() : error;
    }
  }

  async #begin(): Promise<Begun> {
    const { calls, names } = this.#desk.parts;
    const next = await this.#steps?.next();
    const step = next?.done === true ? undefined : next?.value.step;
    if (step?.$case !== "introduction") throw takenBack();
    const introduction = step.value;
    const peer = readPeer(names.serverId, introduction.peer);
    if (peer?.username !== this.#username) throw new Error("The server introduced somebody else.");
    const judgement = this.#desk.admit(peer);
    const { keys } = await this.#desk.register();
    const { stream, path } = await reach({
      calls,
      own: keys.device,
      introduction,
      peer: peer.fingerprint,
      opening: this.#desk.opening(introduction.introductionId),
      signal: this.#signal,
    });
    return { peer, judgement, stream, path };
  }
}

function takenBack(): NotSaidError {
  return new NotSaidError("It was taken back.");
}

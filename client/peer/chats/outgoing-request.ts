// A request for a private chat with a user: the call to the server, the wait for the answer, and the connection.
import type { IntroduceResponse } from "../../../gen/parley/chat/v1/introduction_service.ts";
import { NotSentError } from "../conversation/line-rules.ts";
import { QueuedLines } from "../conversation/queued-lines.ts";
import type { SignalStream } from "../conversation/signal-stream.ts";
import { type PeerKeys, readPeer } from "../keys/contacts.ts";
import { connectPeer, type Path } from "../path/connect-peer.ts";
import { millis, type PrivateChatContext } from "./context.ts";

/** An open stream to a peer whose keys are known. */
export interface EstablishedChat {
  readonly peer: PeerKeys;
  readonly stream: SignalStream;
  readonly path: Path;
}

export class OutgoingRequest {
  readonly #context: PrivateChatContext;
  readonly #username: string;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  /** Lines to send when the chat opens. */
  readonly queued: QueuedLines;
  #direct = false;
  #introductionId: string | undefined;
  #steps: AsyncGenerator<IntroduceResponse> | undefined;

  constructor(context: PrivateChatContext, username: string) {
    this.#context = context;
    this.#username = username;
    this.queued = new QueuedLines(username);
    this.#signal = AbortSignal.any([this.#abort.signal, context.parts.closing]);
  }

  /** Undefined until the request was accepted. */
  get introductionId(): string | undefined {
    return this.#introductionId;
  }

  withdraw(): void {
    this.#abort.abort();
  }

  /** Resolves when the server has asked the user's devices. @throws RpcError, ConnectError, NotSentError */
  async send(direct: boolean): Promise<void> {
    const { calls, emit } = this.#context.parts;
    const username = this.#username;
    this.#direct = direct;
    await this.#context.register();
    this.#steps = calls.introduce({ username, direct }, this.#signal);
    const first = await this.#steps.next();
    const step = first.done === true ? undefined : first.value.step;
    if (step?.$case !== "asked") throw withdrawn();
    const { devices, timeout } = step.value;
    await emit({ type: "waiting", username, devices, timeoutMs: millis(timeout) });
  }

  /**
   * Waits for the acceptance and connects to the device that accepted.
   * @throws RpcError, ConnectError, KeyProblemError, NotSentError if the request was withdrawn
   */
  async establish(): Promise<EstablishedChat> {
    try {
      const established = await this.#establish();
      if (!this.#signal.aborted) return established;
      established.stream.abort();
      throw withdrawn();
    } catch (error) {
      throw this.#signal.aborted ? withdrawn() : error;
    } finally {
      // The server may leave the call open, but nothing more is expected from it.
      await this.#steps?.return(undefined);
    }
  }

  async #establish(): Promise<EstablishedChat> {
    const { names } = this.#context;
    const { calls } = this.#context.parts;
    const next = await this.#steps?.next();
    const step = next?.done === true ? undefined : next?.value.step;
    if (step?.$case !== "introduction") throw withdrawn();
    const introduction = step.value;
    this.#introductionId = introduction.introductionId;
    const peer = readPeer(names.serverId, introduction.peer);
    if (peer?.username !== this.#username)
      throw new Error(`The server introduced another user than ${this.#username}.`);
    this.#context.admit(peer);
    const { keys } = await this.#context.register();
    const { stream, path } = await connectPeer({
      calls,
      own: keys.device,
      // The user decided whether to dial the peer directly. The server must not be able to override that.
      introduction: { ...introduction, direct: introduction.direct && this.#direct },
      peer: peer.fingerprint,
      opening: this.#context.opening(introduction.introductionId),
      signal: this.#signal,
    });
    return { peer, stream, path };
  }
}

function withdrawn(): NotSentError {
  return new NotSentError("The request was withdrawn.");
}

// OutgoingRequest a user for a private chat: the question, the wait for a yes, and the way to the device that said it.
import type { IntroduceResponse } from "../../../gen/parley/chat/v1/introduction_service.ts";
import { NotSentError } from "../conversation/private-conversation.ts";
import { QueuedLines } from "../conversation/queued-lines.ts";
import type { SignalStream } from "../conversation/signal-stream.ts";
import { type PeerKeys, readPeer } from "../keys/contacts.ts";
import { connectPeer, type Path } from "../path/connect-peer.ts";
import { millis, type PrivateChatContext } from "./context.ts";

/** A conversation that can begin. */
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
  /** What is to be said on yes. */
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

  /** Once the answer was yes. */
  get introductionId(): string | undefined {
    return this.#introductionId;
  }

  takeBack(): void {
    this.#abort.abort();
  }

  /** Resolves once the user's devices are being asked. @throws RpcError, ConnectError, NotSentError */
  async ask(direct: boolean): Promise<void> {
    const { calls, emit } = this.#context.parts;
    const username = this.#username;
    this.#direct = direct;
    await this.#context.register();
    this.#steps = calls.introduce({ username, direct }, this.#signal);
    const first = await this.#steps.next();
    const step = first.done === true ? undefined : first.value.step;
    if (step?.$case !== "asked") throw takenBack();
    const { devices, timeout } = step.value;
    await emit({ type: "waiting", username, devices, timeoutMs: millis(timeout) });
  }

  /** From the yes to the conversation. @throws RpcError, ConnectError, KeyProblemError, NotSentError where it was taken back */
  async begin(): Promise<EstablishedChat> {
    try {
      const begun = await this.#begin();
      if (!this.#signal.aborted) return begun;
      begun.stream.abort();
      throw takenBack();
    } catch (error) {
      throw this.#signal.aborted ? takenBack() : error;
    } finally {
      // The server may leave the call open: nothing more is awaited from it.
      await this.#steps?.return(undefined);
    }
  }

  async #begin(): Promise<EstablishedChat> {
    const { calls, names } = this.#context.parts;
    const next = await this.#steps?.next();
    const step = next?.done === true ? undefined : next?.value.step;
    if (step?.$case !== "introduction") throw takenBack();
    const introduction = step.value;
    this.#introductionId = introduction.introductionId;
    const peer = readPeer(names.serverId, introduction.peer);
    if (peer?.username !== this.#username) throw new Error("The server introduced somebody else.");
    this.#context.admit(peer);
    const { keys } = await this.#context.register();
    const { stream, path } = await connectPeer({
      calls,
      own: keys.device,
      // Whether a packet goes to the other's address was said here, and is not the server's to say.
      introduction: { ...introduction, direct: introduction.direct && this.#direct },
      peer: peer.fingerprint,
      opening: this.#context.opening(introduction.introductionId),
      signal: this.#signal,
    });
    return { peer, stream, path };
  }
}

function takenBack(): NotSentError {
  return new NotSentError("It was taken back.");
}

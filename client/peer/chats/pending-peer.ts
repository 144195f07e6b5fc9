// A peer whose request was accepted and that has not connected yet: it may connect once, directly or through the relay.
import { Answer, type Introduction } from "../../../gen/parley/chat/v1/introduction_service.ts";
import { ListenError } from "../../../rpc/listening/bind.ts";
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { NotSentError } from "../conversation/line-rules.ts";
import { QueuedLines } from "../conversation/queued-lines.ts";
import type { SignalStream } from "../conversation/signal-stream.ts";
import type { PeerKeys } from "../keys/contacts.ts";
import type { Path } from "../path/connect-peer.ts";
import type { OpenPort } from "../path/peer-server.ts";
import { openRelay } from "../path/relay-stream.ts";
import { millis, type PrivateChatContext } from "./context.ts";

/** The time to connect until the server states it, ms: longer than any answer takes and any introduction lasts. */
const MAX_LIFETIME_MS = 120_000;

/** A request for a private chat from another device. */
export interface PeerRequest {
  readonly introductionId: string;
  readonly peer: PeerKeys;
  /** The other user allows a direct path. */
  readonly direct: boolean;
}

export interface PendingPeerOwner {
  /** Runs the conversation; resolves when it has ended. */
  converse(pendingPeer: PendingPeer, stream: SignalStream, path: Path): Promise<void>;
  /** The peer will not connect. */
  failed(pendingPeer: PendingPeer, error: Error): void;
}

export class PendingPeer {
  readonly request: PeerRequest;
  /** Lines to send when the chat opens. */
  readonly queued: QueuedLines;
  readonly #context: PrivateChatContext;
  readonly #owner: PendingPeerOwner;
  readonly #relay = new AbortController();
  #expected: Disposable | undefined;
  #port: OpenPort | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isSettled = false;
  /** Why the peer cannot connect through the relay. */
  #relayError: Error | undefined;

  constructor(context: PrivateChatContext, request: PeerRequest, owner: PendingPeerOwner) {
    this.#context = context;
    this.request = request;
    this.#owner = owner;
    this.queued = new QueuedLines(request.peer.username);
  }

  /** Accepts the request; from then on the peer may connect. @throws RpcError, ConnectError: then it may not */
  async accept(): Promise<void> {
    const { server, closing } = this.#context.parts;
    const { introductionId, peer } = this.request;
    const port = await this.#openPort();
    if (this.#isSettled) {
      port?.[Symbol.dispose]();
      throw new NotSentError("The acceptance was withdrawn.");
    }
    this.#port = port;
    // Must precede the answer, because the peer may connect before the server's response to the answer arrives.
    this.#expected = server.expect({
      introductionId,
      fingerprint: peer.fingerprint,
      direct: port !== undefined,
      lifetimeMs: MAX_LIFETIME_MS,
      opening: this.#context.opening(introductionId),
      converse: async (stream, path) => {
        if (!this.#settle()) {
          stream.abort();
          return;
        }
        await this.#owner.converse(this, stream, path);
      },
    });
    let introduction: Introduction;
    try {
      introduction = await this.#answer(port);
    } catch (error) {
      // If the peer has already connected, only the response to the answer was lost.
      if (!this.#settle()) return;
      throw error;
    }
    if (this.#isSettled) return;
    if (closing.aborted) {
      this.end();
      return;
    }
    if (!introduction.direct) this.#port?.[Symbol.dispose]();
    const lifetimeMs = Math.min(millis(introduction.lifetime), MAX_LIFETIME_MS);
    this.#timer = setTimeout(() => this.fail(this.#relayError ?? this.#didNotConnect()), lifetimeMs);
    closing.addEventListener("abort", this.#end);
    void this.#openRelayHalf(introduction, lifetimeMs);
  }

  /** Stops waiting for the peer, and notifies the owner. */
  fail(error: Error): void {
    if (!this.#settle()) return;
    this.#owner.failed(this, error);
  }

  /** Stops waiting for the peer, without notifying the owner. */
  end(): void {
    this.#settle();
  }

  readonly #end = (): void => this.end();

  /** Stops waiting. Returns false if it had stopped before. */
  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    this.#context.parts.closing.removeEventListener("abort", this.#end);
    this.#expected?.[Symbol.dispose]();
    this.#port?.[Symbol.dispose]();
    // This ends only the opening of the relay: a peer that has connected has a stream of its own.
    this.#relay.abort();
    return true;
  }

  /** Listens for the peer if both users allow a direct path. If that fails, the relay is used. */
  async #openPort(): Promise<OpenPort | undefined> {
    const { server, emit } = this.#context.parts;
    if (!this.request.direct) return undefined;
    try {
      return await server.listen();
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      void emit({ type: "background-error", error });
      return undefined;
    }
  }

  async #answer(port: OpenPort | undefined): Promise<Introduction> {
    const { calls } = this.#context.parts;
    const introduction = await calls.answerIntroduction({
      introductionId: this.request.introductionId,
      answer: Answer.ACCEPT,
      direct: port !== undefined,
      addresses: [...(port?.addresses ?? [])],
      port: port?.port ?? 0,
    });
    if (introduction === undefined)
      throw new Error("The server's answer to an acceptance has no introduction.");
    return introduction;
  }

  /** Never rejects: the peer may still connect directly, and if it does not, the timer ends the wait. */
  async #openRelayHalf({ introductionId, direct }: Introduction, timeoutMs: number): Promise<void> {
    const { calls, server, closing } = this.#context.parts;
    const signal = AbortSignal.any([this.#relay.signal, closing]);
    try {
      const dialled = await calls.endpoint.connect();
      server.accept(await openRelay(dialled, { introductionId, token: calls.token, timeoutMs, signal }));
    } catch (error) {
      const isSpecific = error instanceof RpcError && error.reason !== "RELAY_PEER_GONE";
      this.#relayError = isSpecific || error instanceof ConnectError ? error : this.#didNotConnect();
      if (!direct) this.fail(this.#relayError);
    }
  }

  #didNotConnect(): ConnectError {
    const message = `The device of ${this.request.peer.username} did not connect.`;
    return new ConnectError({ kind: "timeout", message });
  }
}

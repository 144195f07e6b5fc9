// A device for the tests, without a chat server: a key, a peer server, and conversations.
import { randomBytes } from "node:crypto";
import { openConverse } from "../../../client/peer/conversation/converse.ts";
import type { LineContent } from "../../../client/peer/conversation/line-rules.ts";
import {
  type ConversationEnded,
  PrivateConversation,
} from "../../../client/peer/conversation/private-conversation.ts";
import type { SignalStream } from "../../../client/peer/conversation/signal-stream.ts";
import { fingerprintOfKey, newDeviceKey } from "../../../client/peer/keys/keys.ts";
import type { Path } from "../../../client/peer/path/connect-peer.ts";
import { PeerServer } from "../../../client/peer/path/peer-server.ts";
import type { Signal } from "../../../gen/parley/peer/v1/peer_service.ts";
import type { Certificate } from "../../../rpc/listening/server-credentials.ts";
import { channelOver, dialPeerAt } from "../../../rpc/peers/peer-dial.ts";

export interface Received {
  readonly lines: { readonly number: bigint; readonly content: LineContent }[];
  readonly marks: { readonly received: bigint; readonly read: bigint }[];
  readonly typing: boolean[];
  readonly finished: true[];
}

/** One end of a conversation, and what it has received. */
export class End {
  readonly received: Received = { lines: [], marks: [], typing: [], finished: [] };
  readsImmediately = false;
  /** It finishes as soon as the peer has finished. */
  answersFinished = false;
  readonly conversation: PrivateConversation;
  readonly ended: Promise<ConversationEnded>;
  readonly #waiting = new Set<{ isDone: () => boolean; resolve: () => void }>();

  constructor(stream: SignalStream) {
    this.conversation = new PrivateConversation(stream, {
      line: ({ number, content }) => {
        this.#note(() => this.received.lines.push({ number, content }));
        if (this.readsImmediately) this.conversation.markRead();
      },
      marks: (received, read) => this.#note(() => this.received.marks.push({ received, read })),
      typing: (typing) => this.#note(() => this.received.typing.push(typing)),
      finished: () => {
        this.#note(() => this.received.finished.push(true));
        if (this.answersFinished) this.conversation.finish();
      },
    });
    this.ended = this.conversation.run();
  }

  /** Resolves when what it has received satisfies the condition. */
  async until(isDone: (received: Received) => boolean): Promise<void> {
    if (isDone(this.received)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add({ isDone: () => isDone(this.received), resolve });
    await promise;
  }

  get texts(): string[] {
    return this.received.lines.map(({ content }) => (content.kind === "text" ? content.text : "?"));
  }

  #note(work: () => void): void {
    work();
    for (const waiting of this.#waiting) {
      if (!waiting.isDone()) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }
}

export class Device implements AsyncDisposable {
  readonly own: Certificate;
  readonly fingerprint: string;
  readonly server: PeerServer;
  readonly errors: unknown[];

  private constructor(own: Certificate, server: PeerServer, errors: unknown[]) {
    this.own = own;
    this.fingerprint = fingerprintOfKey(own);
    this.server = server;
    this.errors = errors;
  }

  static async make(): Promise<Device> {
    const own = await newDeviceKey();
    const errors: unknown[] = [];
    const server = await PeerServer.open({
      own,
      address: { host: "127.0.0.1", port: 0 },
      isLocal: true,
      onError: (error) => errors.push(error),
    });
    // Until the server is disposed of.
    await server.listen();
    return new Device(own, server, errors);
  }

  get address(): string {
    return `127.0.0.1:${this.server.port}`;
  }

  /**
   * Expects the other device, as after an introduction. `arrived` is the end of its conversation. `answeredId`: the id in
   * the answer, if it is not the one of the introduction.
   */
  expect(
    other: Device,
    options: { introductionId?: string; answeredId?: string; lifetimeMs?: number; direct?: boolean } = {},
  ) {
    const { introductionId = newId(), lifetimeMs = 60_000, direct = true } = options;
    const { answeredId = introductionId } = options;
    const arrived = Promise.withResolvers<{ end: End; path: Path }>();
    const expected = this.server.expect({
      introductionId,
      fingerprint: other.fingerprint,
      direct,
      lifetimeMs,
      opening: { introductionId: answeredId, clientName: "test", clientVersion: "1" },
      converse: async (stream, path) => {
        const end = new End(stream);
        arrived.resolve({ end, path });
        await end.ended;
      },
    });
    return { introductionId, arrived: arrived.promise, withdraw: () => expected[Symbol.dispose]() };
  }

  /** As `expect`, but only writes what `write` writes. `over` resolves when the peer has ended its stream. */
  expectRaw(other: Device, write: (stream: SignalStream) => void) {
    const introductionId = newId();
    const over = Promise.withResolvers<void>();
    this.server.expect({
      introductionId,
      fingerprint: other.fingerprint,
      direct: true,
      lifetimeMs: 60_000,
      opening: { introductionId, clientName: "test", clientVersion: "1" },
      converse: async (stream) => {
        write(stream);
        while ((await stream.signals.next()).done !== true);
        over.resolve();
      },
    });
    return { introductionId, over: over.promise };
  }

  /** A channel to the other device after mutual TLS. @throws ConnectError */
  async dial(other: Device, options: { peer?: string; own?: Certificate } = {}) {
    const { peer = other.fingerprint, own = this.own } = options;
    return channelOver(await dialPeerAt([other.address], { own, peer, timeoutMs: 5_000 }));
  }

  async call(other: Device, introductionId: string): Promise<End> {
    const stream = await openConverse(await this.dial(other), {
      introductionId,
      clientName: "test",
      clientVersion: "1",
    });
    return new End(stream);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

export function newId(): string {
  return randomBytes(16).toString("base64url");
}

export type { Signal };

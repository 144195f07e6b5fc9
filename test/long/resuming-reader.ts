// A reader that resumes by its cursors after each loss, and checks that every seq is named to it once and in order.
import { delay } from "../../time/wait.ts";
import type { TestClient, TestStream } from "../support/client.ts";
import { textOf } from "../support/client.ts";

export class ResumingReader {
  readonly #client: TestClient;
  readonly #cursors = new Map<string, bigint>();
  readonly #texts = new Map<string, Map<bigint, string>>();
  /** What was named twice, out of order or not at all. */
  readonly problems: string[] = [];
  #finishing = false;
  #stream: TestStream | undefined;

  constructor(client: TestClient) {
    this.#client = client;
  }

  /** Reads until finish() is called. */
  async run(): Promise<void> {
    while (!this.#finishing) {
      const cursors = Array.from(this.#cursors, ([conversationId, seq]) => ({ conversationId, seq }));
      using stream = this.#client.connect({ cursors });
      this.#stream = stream;
      let isOver = false;
      void stream.ended.then(() => {
        isOver = true;
      });
      while (!isOver && !this.#finishing) {
        await stream.change().catch(() => undefined);
        this.#take(stream);
      }
      this.#take(stream);
      if (!this.#finishing) await delay(20);
    }
  }

  finish(): void {
    this.#finishing = true;
    this.#stream?.[Symbol.dispose]();
  }

  /** Resolves when the reader has come to these heads. */
  async caughtUpWith(heads: ReadonlyMap<string, bigint>): Promise<void> {
    while ([...heads].some(([id, head]) => (this.#cursors.get(id) ?? 0n) < head)) await delay(50);
  }

  /** Whether what was read of the conversation is in the log at the same seq. */
  textsOf(conversationId: string, log: readonly string[]): boolean {
    const texts = this.#texts.get(conversationId) ?? new Map<bigint, string>();
    return [...texts].every(([seq, text]) => log[Number(seq) - 1] === text);
  }

  #take(stream: TestStream): void {
    for (const { kind } of stream.events) {
      if (kind?.$case === "entryAppended") {
        const { entry } = kind.value;
        const { conversationId = "", seq = 0n } = entry ?? {};
        this.#name(conversationId, seq, seq);
        const texts = this.#texts.get(conversationId) ?? new Map<bigint, string>();
        this.#texts.set(conversationId, texts.set(seq, textOf(kind.value)));
      } else if (kind?.$case === "gap" || kind?.$case === "omitted") {
        this.#name(kind.value.conversationId, kind.value.fromSeq, kind.value.toSeq);
      }
    }
    stream.events.length = 0;
  }

  #name(conversationId: string, from: bigint, to: bigint): void {
    const before = this.#cursors.get(conversationId) ?? 0n;
    if (from !== before + 1n) this.problems.push(`${conversationId}: ${from} after ${before}`);
    this.#cursors.set(conversationId, to);
  }
}

// A sender with many messages in flight, which sends again under the same ids whatever it has no ack for.
import type { Command } from "../../gen/parley/chat/v1/chat_service.ts";
import { delay } from "../../time/wait.ts";
import type { TestClient, TestStream } from "../support/client.ts";

const IN_FLIGHT = 32;

export class PipelinedSender {
  readonly client: TestClient;
  /** The seq of each message by its client message id. */
  readonly acked = new Map<bigint, bigint>();
  conversationId = "";
  head = 0n;
  readonly #name: string;
  readonly #to: string;
  #nextId = 1n;
  /** Sent and without an ack, in the order of their ids. */
  readonly #open = new Set<bigint>();
  #finishing = false;
  #lastId = Number.POSITIVE_INFINITY;

  constructor(name: string, client: TestClient, to: string) {
    this.#name = name;
    this.client = client;
    this.#to = to;
  }

  text(id: bigint): string {
    return `${this.#name} ${id}`;
  }

  /**
   * Sends until so many messages are acked, or finish() was called and all that was sent is acked.
   * @throws Error if an ack contradicts an earlier one
   */
  async run(messages = Number.POSITIVE_INFINITY): Promise<void> {
    this.#lastId = messages;
    while (!this.#isDone) {
      using stream = this.client.connect();
      try {
        await stream.next("caughtUp");
      } catch {
        // The server is down, or the connection was cut.
        await delay(20);
        continue;
      }
      await this.#sendOn(stream);
    }
  }

  finish(): void {
    this.#finishing = true;
  }

  /** Resolves when the stream ends or all is acked after finish(). */
  async #sendOn(stream: TestStream): Promise<void> {
    write(stream, this.#commands(this.#open));
    let isOver = false;
    void stream.ended.then(() => {
      isOver = true;
    });
    while (!isOver) {
      const fresh: bigint[] = [];
      while (this.#maySend && this.#open.size < IN_FLIGHT) {
        this.#open.add(this.#nextId);
        fresh.push(this.#nextId++);
      }
      if (fresh.length > 0) write(stream, this.#commands(fresh));
      if (this.#isDone) return;
      await stream.change().catch(() => undefined);
      for (const ack of stream.all("ack")) this.#take(ack.clientMessageId, ack.seq, ack.conversationId);
      const refused = stream.all("refused")[0];
      if (refused !== undefined) throw new Error(`${this.#name} was refused: ${refused.reason}`);
      stream.events.length = 0;
    }
  }

  #take(id: bigint, seq: bigint, conversationId: string): void {
    const earlier = this.acked.get(id);
    if (earlier !== undefined && earlier !== seq) throw new Error(`id ${id} has seq ${earlier} and ${seq}`);
    this.acked.set(id, seq);
    this.#open.delete(id);
    this.conversationId = conversationId;
    if (seq > this.head) this.head = seq;
  }

  get #maySend(): boolean {
    return !this.#finishing && this.#nextId <= this.#lastId;
  }

  get #isDone(): boolean {
    return !this.#maySend && this.#open.size === 0;
  }

  #commands(ids: Iterable<bigint>): Command[] {
    return Array.from(ids, (id) => ({
      kind: {
        $case: "sendMessage",
        value: {
          clientMessageId: id,
          target: { target: { $case: "username", value: this.#to } },
          content: { kind: { $case: "text", value: this.text(id) } },
        },
      },
    }));
  }
}

/** One frame with all these commands. */
function write(stream: TestStream, commands: Command[]): void {
  if (commands.length > 0) stream.write(...commands);
}

// Performs the commands of one Connect stream in order, and answers each. The number of unanswered sends is bounded.
import type {
  BroadcastRequest,
  Command,
  ConnectRequest,
  SendMessageRequest,
  SetMarkersRequest,
  Target,
} from "../../../gen/parley/chat/v1/chat_service.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import type { FrameReader } from "../../../rpc/calls/handler.ts";
import type { Outbox } from "../../../rpc/calls/outbox.ts";
import { delay } from "../../../time/wait.ts";
import type { ActiveSession } from "../../auth/sessions.ts";
import { encodeEvent, toAck } from "../../chat/encoding.ts";
import type { Feed } from "../../chat/feed.ts";
import type { Markers } from "../../chat/markers.ts";
import type { Destination, MessageSending } from "../../chat/sending.ts";
import type { Typing } from "../../chat/typing.ts";
import { limits } from "../../limits.ts";
import { Refusal } from "../../reasons.ts";
import type { Failures } from "../calls/failures.ts";
import { contentBytes } from "./opaque-content.ts";
import type { WorkEnd } from "./streams.ts";

export interface CommandRules {
  readonly sending: MessageSending;
  readonly markers: Markers;
  readonly typing: Typing;
  readonly failures: Failures;
  /** Receives the reason of each refused command. */
  readonly onRefused?: ((reason: Reason) => void) | undefined;
}

export interface CommandStream {
  readonly session: ActiveSession;
  readonly frames: FrameReader<ConnectRequest>;
  readonly outbox: Outbox;
  readonly feed: Feed;
  /** Aborted when the stream ends. After that, no further command is performed. */
  readonly signal: AbortSignal;
}

/** The send or the conversation that a Refused names. */
interface Subject {
  readonly clientMessageId?: bigint;
  readonly conversationId?: string;
}

export class CommandLoop {
  readonly #rules: CommandRules;
  readonly #stream: CommandStream;
  #inFlight = 0;
  #inFlightBytes = 0;
  #onSettled: (() => void) | undefined;

  constructor(rules: CommandRules, stream: CommandStream) {
    this.#rules = rules;
    this.#stream = stream;
  }

  /**
   * Returns when the client has half-closed the stream or has left, or the stream ends, after every performed command is
   * answered.
   * @throws Refusal for an invalid frame
   */
  async run(): Promise<WorkEnd> {
    const how = await this.#performAll();
    while (this.#inFlight > 0) await this.#settled();
    return how;
  }

  async #performAll(): Promise<WorkEnd> {
    const { signal } = this.#stream;
    try {
      for (let frame = await this.#nextFrame(); frame !== undefined; frame = await this.#nextFrame()) {
        if (frame.commands.length > limits.commandsPerRequest) {
          throw new Refusal(Reason.INVALID_FIELD, {
            field: "commands",
            message: `At most ${limits.commandsPerRequest} commands in one request.`,
            facts: { maximum: limits.commandsPerRequest, unit: "items", actual: frame.commands.length },
          });
        }
        // An empty frame costs as much as one command.
        if (frame.commands.length === 0) await this.#pay(1);
        for (const command of frame.commands) {
          const cost = costOf(command);
          if (this.#isFull() || this.#stream.session.bucket.take(cost) > 0) await this.#pay(cost);
          signal.throwIfAborted();
          if (command.kind?.$case === "leave") return "left";
          const performed = this.#perform(command);
          if (performed !== undefined) await performed;
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return "half-closed";
  }

  #nextFrame(): Promise<ConnectRequest | undefined> {
    return this.#stream.frames.next(this.#stream.signal);
  }

  /**
   * Waits until one more command may be performed. Meanwhile the stream is not read, so the sender's flow-control window
   * fills and no commands are queued in memory.
   */
  async #pay(tokens: number): Promise<void> {
    const { outbox, session, signal } = this.#stream;
    while (this.#isFull()) await (outbox.aboveSoft ? outbox.whenBelowSoft() : this.#settled());
    for (let wait = session.bucket.take(tokens); wait > 0; wait = session.bucket.take(tokens)) {
      await delay(wait, signal);
      signal.throwIfAborted();
    }
  }

  #isFull(): boolean {
    return (
      this.#stream.outbox.aboveSoft ||
      this.#inFlight >= limits.sendsInFlight ||
      this.#inFlightBytes >= limits.sendsInFlightBytes
    );
  }

  /** Returns or resolves when the position of the command in the order is fixed. */
  #perform(command: Command): void | Promise<void> {
    const kind = command.kind;
    switch (kind?.$case) {
      case "sendMessage":
      case "broadcast":
        return this.#send(kind.value, kind.$case === "broadcast" ? undefined : kind.value);
      case "setMarkers":
        this.#setMarkers(kind.value);
        return;
      case "setTyping": {
        const { session } = this.#stream;
        return this.#answering(subjectOf(kind.value.target), async () => {
          const destination = await this.#rules.sending.destination(session.row.user, kind.value.target);
          await this.#rules.typing.set(session.row.user, destination, kind.value.typing);
        });
      }
      case "reportActivity":
        this.#stream.session.reportActivity();
        return;
      case "hello":
        throw new Refusal(Reason.HELLO_REPEATED);
      default:
        this.#refuse({}, new Refusal(Reason.UNSUPPORTED_COMMAND));
    }
  }

  /** Returns without a promise if the recipient is cached, so that most sends await only the store. */
  #send(
    send: SendMessageRequest | BroadcastRequest,
    direct: SendMessageRequest | undefined,
  ): void | Promise<void> {
    const { session } = this.#stream;
    const { sending } = this.#rules;
    const subject: Subject = { clientMessageId: send.clientMessageId, ...subjectOf(direct?.target) };
    try {
      if (send.clientMessageId === 0n) {
        throw new Refusal(Reason.INVALID_FIELD, {
          field: "client_message_id",
          message: "On a stream each send needs a client message id.",
        });
      }
      const found =
        direct === undefined ? sending.broadcast : sending.destination(session.row.user, direct.target);
      if (!(found instanceof Promise)) return this.#append(send, found, subject);
      return found.then(
        (destination) => this.#append(send, destination, subject),
        (error: unknown) => this.#fail(subject, error),
      );
    } catch (error) {
      this.#fail(subject, error);
    }
  }

  #append(send: SendMessageRequest | BroadcastRequest, destination: Destination, subject: Subject): void {
    const { session, feed, outbox } = this.#stream;
    const bytes = contentBytes(send);
    const sender = { user: session.row.user, deviceId: session.row.deviceId, stream: feed };
    const content = { bytes, decoded: send.content };
    const size = bytes?.length ?? 0;
    try {
      const append = this.#rules.sending.append(sender, destination, send.clientMessageId, content);
      this.#begin(size);
      append.then(
        (message) => {
          // The Ack of a first send is delivered in the position of its entry. A repeated send is acked here, and is
          // not activity.
          if (!message.repeated) session.reportActivity();
          else outbox.push(encodeEvent({ kind: { $case: "ack", value: toAck(message, true) } }));
          this.#end(size);
        },
        (error: unknown) => {
          this.#fail(subject, error);
          this.#end(size);
        },
      );
    } catch (error) {
      this.#fail(subject, error);
    }
  }

  #setMarkers(request: SetMarkersRequest): void {
    const bytes = request.markers.length * limits.markerBytes;
    this.#begin(bytes);
    const answered = this.#answering({}, async () => {
      const refused = await this.#rules.markers.raise(this.#stream.session.row.user, request.markers);
      for (const { conversationId, refusal } of refused) this.#refuse({ conversationId }, refusal);
    });
    void answered.then(() => this.#end(bytes));
  }

  #begin(bytes: number): void {
    this.#inFlight++;
    this.#inFlightBytes += bytes;
  }

  #end(bytes: number): void {
    this.#inFlight--;
    this.#inFlightBytes -= bytes;
    this.#onSettled?.();
    this.#onSettled = undefined;
  }

  #settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSettled = resolve;
    });
  }

  /** Runs the work. A failure is answered with a Refused, and the stream continues. */
  async #answering(subject: Subject, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#fail(subject, error);
    }
  }

  #fail(subject: Subject, error: unknown): void {
    this.#refuse(subject, this.#rules.failures.refusal(error, "Connect"));
  }

  #refuse(subject: Subject, refusal: Refusal): void {
    this.#rules.onRefused?.(refusal.reason);
    const delay = refusal.retryDelayMs;
    this.#stream.outbox.push(
      encodeEvent({
        kind: {
          $case: "refused",
          value: {
            clientMessageId: subject.clientMessageId ?? 0n,
            reason: refusal.reason,
            field: refusal.field ?? "",
            message: refusal.message,
            retryDelay:
              delay === undefined
                ? undefined
                : { seconds: BigInt(Math.floor(delay / 1000)), nanos: (delay % 1000) * 1_000_000 },
            conversationId: subject.conversationId ?? "",
            metadata: refusal.metadata,
          },
        },
      }),
    );
  }
}

/** Tokens that a command takes from the session's bucket. */
function costOf({ kind }: Command): number {
  return kind?.$case === "setMarkers" ? Math.max(1, kind.value.markers.length) : 1;
}

function subjectOf(target: Target | undefined): Subject {
  return target?.target?.$case === "conversationId" ? { conversationId: target.target.value } : {};
}

// A private chat in a pipe: sends the lines of standard input, and prints the peer's lines until both inputs have
// ended.
import { Line } from "../../../gen/parley/peer/v1/peer_service.ts";
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { waitFor } from "../../../time/wait.ts";
import { isConnectionLost, isLoggedOut } from "../../link/model/errors.ts";
import { KeyProblemError } from "../../peer/chats/context.ts";
import type { ChatEnded, LineEvent, PrivateEvent } from "../../peer/chats/events.ts";
import { isRequestGone } from "../../peer/chats/incoming-requests.ts";
import { NotSentError } from "../../peer/conversation/line-rules.ts";
import type { AccountCall } from "../command/command.ts";
import { CommandError, Exit } from "../process/exit.ts";
import { standardInput } from "../process/standard-input.ts";
import { Styled } from "../terminal/text/style.ts";
import { keyWords } from "./key-words.ts";
import { endedWords, failedWords, notKeptWords, pathWords } from "./private-words.ts";
import type { PrivateRun } from "./run-with-chats.ts";

/** The time between two requests while the peer is not available, ms. */
const RETRY_MS = 1_000;

/** How long to wait for the end of the chat after stopping it, ms. */
const ENDED_MS = 2_000;

/** The reasons for which a peer that left may come back. */
const GONE_REASONS = ["USER_OFFLINE", "INTRODUCTION_NOT_FOUND", "RELAY_PEER_GONE", "PEER_GONE"];

export interface PipeChatOptions {
  /** The peer. */
  readonly username: string;
  readonly direct: boolean;
  /** Store the lines on this device. */
  readonly keep: boolean;
  /** How long to repeat the request while the peer is not available, ms. */
  readonly waitMs: number;
}

export class PipeChat {
  readonly #call: AccountCall;
  readonly #run: PrivateRun;
  readonly #options: PipeChatOptions;
  readonly #opened = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<ChatEnded | undefined>();
  #sent = 0n;
  #failedLines = 0;
  /** A line has been read but neither sent nor reported yet. */
  #hasLine = false;
  #received = 0n;
  #wasOpened = false;
  /** Until when failed requests are repeated, in the time of performance.now(). */
  #retryUntil = 0;
  /** Resolved when a request has failed and is repeated. */
  #retry = Promise.withResolvers<void>();

  constructor(call: AccountCall, run: PrivateRun, options: PipeChatOptions) {
    this.#call = call;
    this.#run = run;
    this.#options = options;
  }

  async run(): Promise<0 | 1> {
    const { chats, signal } = this.#run;
    if (this.#options.username === chats.names.username) throw new CommandError(Exit.REFUSED, "That is you.");
    const stopped = Promise.withResolvers<undefined>();
    signal.addEventListener("abort", () => stopped.resolve(undefined), { once: true });
    if (signal.aborted) stopped.resolve(undefined);
    const handled = this.#handleEvents();
    const sending = this.#open().then(() => this.#sendInput());
    const ended = await Promise.race([
      this.#ended.promise,
      stopped.promise.then(() => this.#stop()),
      sending.then(() => undefined),
      handled.then(() => undefined),
    ]);
    if (!this.#wasOpened) {
      this.#failedLines += 1;
      this.#call.output.notice(
        `Nothing was sent: the private chat with ${this.#options.username} was not open yet.`,
      );
    }
    if (this.#wasOpened && this.#hasLine) this.#reportNotSent("the private chat has ended.");
    // An input that stays open would keep the process running.
    this.#call.environment.stdin.destroy();
    this.#call.output.check();
    return this.#codeOf(ended);
  }

  /** Stops the chat, and waits a moment for its end, after which it is known which lines have arrived. */
  async #stop(): Promise<ChatEnded | undefined> {
    const { chats, ending } = this.#run;
    if (!this.#wasOpened) return undefined;
    if (this.#isOpen) await chats.stop(this.#options.username, ending);
    const waited = await waitFor(this.#ended.promise, { ms: ENDED_MS });
    return waited.status === "done" ? waited.value : undefined;
  }

  #codeOf(ended: ChatEnded | undefined): 0 | 1 {
    if (ended !== undefined) this.#call.output.notice(endedWords(ended, this.#call.environment.program));
    const lost = Number(this.#sent - this.#received);
    if (lost > 0) this.#call.output.notice(`${lost} of your lines are not known to have arrived.`);
    return lost > 0 || this.#failedLines > 0 || (ended !== undefined && ended.how.kind !== "goodbye")
      ? Exit.REFUSED
      : Exit.DONE;
  }

  /** Requests the chat, and repeats the request until the chat is open or the time has passed. */
  async #open(): Promise<void> {
    const { chats, signal } = this.#run;
    this.#retryUntil = performance.now() + this.#options.waitMs;
    while (!this.#wasOpened && !signal.aborted) {
      this.#retry = Promise.withResolvers();
      try {
        await chats.start(this.#options.username, { direct: this.#options.direct });
        await Promise.race([this.#opened.promise, this.#retry.promise]);
        if (!this.#wasOpened) await this.#pause(RETRY_MS);
      } catch (error) {
        await this.#waitAfter(error);
      }
    }
    await this.#opened.promise;
  }

  /** Waits until the request can be repeated. @throws the error of the command if it is not repeated */
  async #waitAfter(error: unknown): Promise<void> {
    // The peer's request arrives at the same time, or its acceptance is on the way.
    const isCrossing = error instanceof NotSentError || isRefusal(error, "INTRODUCTION_PENDING");
    const isAway = isRefusal(error, "USER_OFFLINE") || isRefusal(error, "PRIVATE_CHAT_UNAVAILABLE");
    const left = this.#retryUntil - performance.now();
    if (!isCrossing && !(isAway && left > 0)) throw this.#describe(error);
    await this.#pause(isCrossing ? RETRY_MS : Math.min(RETRY_MS, left));
  }

  async #pause(ms: number): Promise<void> {
    await waitFor(this.#opened.promise, { ms });
  }

  /** Describes a refusal. Any other error is a fault of this program, or of the connection to the server. */
  #describe(error: unknown): unknown {
    const isDescribed = error instanceof RpcError || error instanceof KeyProblemError;
    return isDescribed && !(error instanceof RpcError && isLoggedOut(error))
      ? this.#noChatError(error)
      : error;
  }

  #noChatError(error: Error): CommandError {
    const words = failedWords(this.#options.username, error, this.#call.environment.program);
    return new CommandError(Exit.REFUSED, words, { cause: error });
  }

  async #sendInput(): Promise<void> {
    const { chats } = this.#run;
    for await (const line of standardInput(this.#call.environment.stdin)) {
      this.#hasLine = true;
      await chats.whenWritable(this.#options.username);
      if (!this.#isOpen) break;
      if (line.kind === "line") this.#sendLine(line.text);
      else this.#reportNotSent(`the line ${line.problem === "too-long" ? "is too long" : "is not UTF-8"}.`);
      this.#hasLine = false;
      this.#run.reportActivity();
    }
    if (this.#isOpen) chats.finish(this.#options.username);
    await this.#ended.promise;
  }

  #sendLine(text: string): void {
    try {
      // The protocol has no empty lines.
      this.#run.chats.send(this.#options.username, text === "" ? " " : text);
      this.#sent += 1n;
    } catch (error) {
      if (!(error instanceof NotSentError)) throw error;
      this.#reportNotSent(error.message);
    }
  }

  #reportNotSent(why: string): void {
    this.#failedLines += 1;
    this.#call.output.notice(`Not sent: ${why}`);
  }

  get #isOpen(): boolean {
    return this.#run.chats.openChats.some(({ username }) => username === this.#options.username);
  }

  async #handleEvents(): Promise<void> {
    const { chats } = this.#run;
    for await (const event of chats.events) {
      if ("username" in event && event.username !== this.#options.username)
        await this.#handleOtherUser(event, chats);
      else await this.#handleEvent(event, chats);
    }
  }

  /** Leaves a request of another user to the user's other programs. If this answer fails, this chat goes on. */
  async #handleOtherUser(event: PrivateEvent, chats: PrivateRun["chats"]): Promise<void> {
    if (event.type !== "requested") return;
    try {
      await chats.answer(event.username, "pass");
    } catch (error) {
      // If the server was not reached, it repeats the request on the next connection.
      if (error instanceof ConnectError || isRequestGone(error)) return;
      if (!(error instanceof RpcError)) throw error;
      if (!isConnectionLost(error)) this.#call.output.notice(failedWords(event.username, error));
    }
  }

  /** Accepts the peer's request. */
  async #accept(chats: PrivateRun["chats"]): Promise<void> {
    try {
      await chats.answer(this.#options.username, "accept", { direct: this.#options.direct });
    } catch (error) {
      // The request has ended; this side requests the chat itself.
      if (!isRequestGone(error)) throw this.#describe(error);
    }
  }

  /** A request, or the connection after its acceptance, failed. @throws CommandError if the request is not repeated */
  #handleFailure(error: Error): void {
    if (!isGone(error) || performance.now() >= this.#retryUntil) throw this.#noChatError(error);
    this.#retry.resolve();
  }

  async #handleEvent(event: PrivateEvent, chats: PrivateRun["chats"]): Promise<void> {
    const { program } = this.#call.environment;
    switch (event.type) {
      case "requested":
        return this.#accept(chats);
      case "opened":
        this.#call.output.notice(`Private chat with ${event.username}: ${pathWords[event.path]}.`);
        for (const sentence of keyWords(event, program)) this.#call.output.notice(sentence);
        this.#wasOpened = true;
        this.#opened.resolve();
        return;
      case "line":
        return this.#printLine(event, chats);
      case "marks":
        this.#received = event.received;
        return;
      case "failed":
        return this.#handleFailure(event.error);
      case "ended":
        this.#ended.resolve(event);
        return;
      case "background-error":
        this.#call.output.notice(event.error.message);
        return;
      case "waiting":
        this.#call.output.notice(
          `${event.username} has ${Math.round(event.timeoutMs / 1000)} s to answer the request for a private chat.`,
        );
        return;
      case "request-closed":
      case "typing":
      case "finished":
        return;
    }
  }

  async #printLine({ mine, number, time, content }: LineEvent, chats: PrivateRun["chats"]): Promise<void> {
    const { context, signedIn } = this.#run;
    if (content.kind === "text" && this.#options.keep) {
      const lines = context.state.privateLines(signedIn.profile.profileId);
      lines.add({ username: this.#options.username, mine, time: time ?? new Date(), text: content.text });
    }
    if (content.kind !== "text" && this.#options.keep)
      this.#call.output.notice(notKeptWords(this.#options.username));
    if (mine) return;
    const text = content.kind === "text" ? content.text : "(content that needs a newer version of parley)";
    const said = content.kind === "text" ? ({ $case: "text", value: content.text } as const) : undefined;
    const value: Line = { number, time, content: said };
    await this.#call.output.result(
      { typeName: "parley.peer.v1.Line", codec: Line, value },
      Styled.multiline(text.replaceAll("\n", "\n    ")),
    );
    chats.markRead(this.#options.username);
  }
}

/** Whether the peer left before the chat was open, and may come back. */
function isGone(error: Error): boolean {
  if (error instanceof RpcError) return GONE_REASONS.includes(error.reason);
  return error instanceof ConnectError && (error.kind === "timeout" || error.kind === "unreachable");
}

function isRefusal(error: unknown, reason: string): boolean {
  return error instanceof RpcError && error.reason === reason;
}

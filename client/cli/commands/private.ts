// parley private: a private chat in a pipe. Lines of standard input go out, the other one's lines come out.

import { parseWait } from "../../../command-line/durations.ts";
import type { Flag } from "../../../command-line/flags.ts";
import { Ending, Line } from "../../../gen/parley/peer/v1/peer_service.ts";
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { waitFor } from "../../../time/wait.ts";
import { isConnectionLost, isLoggedOut } from "../../link/model/errors.ts";
import { KeyProblemError } from "../../peer/chats/context.ts";
import type { ChatEnded, LineEvent, PrivateEvent } from "../../peer/chats/events.ts";
import { isRequestGone } from "../../peer/chats/incoming-requests.ts";
import { NotSentError } from "../../peer/conversation/line-rules.ts";
import type { PrivateChats } from "../../peer/private-chats.ts";
import { keyWords } from "../chat/private/key-words.ts";
import { endedWords, failedWords, pathWords } from "../chat/private/private-words.ts";
import { accountFlags } from "../command/account-flags.ts";
import { type Call, defineCommand } from "../command/command.ts";
import { keepFlag, pathFlag, peerPortFlag } from "../private/flags.ts";
import { type PrivateRun, withPrivateChats } from "../private/run.ts";
import { CommandError, Exit } from "../process/exit.ts";
import { standardInput } from "../process/standard-input.ts";
import { Styled } from "../terminal/text/style.ts";

const wait: Flag<number> = {
  value: "TIME",
  help: "How long to wait for USER to come online and take private chats, and to ask again where USER went; else 0s.",
  read: parseWait,
};

const flags = {
  wait,
  "private-path": pathFlag,
  "keep-private": keepFlag,
  "peer-port": peerPortFlag,
  ...accountFlags,
} as const;

/** While the other one is not there yet, it is asked again so often, ms. */
const AGAIN_MS = 1_000;

/** How long the end of a chat may take to be told of, where nobody takes what is printed, ms. */
const ENDED_MS = 2_000;

/** What is said of one who is not there any more: by the server, its relay, or the own end. */
const gone = ["USER_OFFLINE", "INTRODUCTION_NOT_FOUND", "RELAY_PEER_GONE", "PEER_GONE"];

export const command = defineCommand({
  forms: ["USER"],
  words: { least: 1, most: 1 },
  flags,
  about: [
    "Asks USER for a private chat, or accepts one that USER asks for; then each line of standard input is said, and each " +
      "line of the other's is printed. What is said goes from device to device, or through the server as bytes that it " +
      "cannot read: with --private-path auto through the server, as there is nobody to ask.",
    "Two shells talk when each names the other, one with --wait. It ends, with exit code 0, once both inputs have ended and " +
      "everything has arrived; that of a person, in the chat or at a terminal, counts as ended when the other one has. " +
      "SIGINT, SIGTERM and /stopprivate end it at once. A line that is not known to have arrived, or was not said, makes the " +
      "exit code 1, and so does an end before it was open. A blank line goes as a space, as no line is empty. For a server with a " +
      "time-out each line that is said is a command.",
  ],
  json: "Line of parley.peer.v1, one for each of the other's lines.",
  examples: ["yoda", "yoda --wait 1m --json", "yoda --private-path direct < letter.txt"],
  run: async (call) => {
    const [username = ""] = call.words;
    const path = call.values["private-path"] ?? "auto";
    const port = call.values["peer-port"] ?? 0;
    // A person at this end is not waited for either.
    const allowHalfOpen = !call.environment.stdin.isTTY;
    return withPrivateChats(call, { path, port, allowHalfOpen }, Ending.STOPPED, (run) =>
      new Talk(call, run, username, path === "direct").run(),
    );
  },
});

class Talk {
  readonly #call: Call<typeof flags>;
  readonly #run: PrivateRun;
  readonly #username: string;
  readonly #direct: boolean;
  readonly #opened = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<ChatEnded | undefined>();
  #said = 0n;
  #unsaid = 0;
  /** A line was read that is neither said nor named. */
  #hasLine = false;
  #received = 0n;
  #isOpened = false;
  /** Until when it is worth to ask again. */
  #until = 0;
  /** Resolved where nothing comes of what was asked, and it is to be asked again. */
  #again = Promise.withResolvers<void>();

  constructor(call: Call<typeof flags>, run: PrivateRun, username: string, direct: boolean) {
    this.#call = call;
    this.#run = run;
    this.#username = username;
    this.#direct = direct;
  }

  async run(): Promise<0 | 1> {
    const { chats, signal } = this.#run;
    if (this.#username === chats.names.username) throw new CommandError(Exit.REFUSED, "That is you.");
    const stopped = Promise.withResolvers<undefined>();
    signal.addEventListener("abort", () => stopped.resolve(undefined), { once: true });
    if (signal.aborted) stopped.resolve(undefined);
    const followed = this.#follow();
    const talked = this.#begin().then(() => this.#talk());
    const ended = await Promise.race([
      this.#over.promise,
      stopped.promise.then(() => this.#stop()),
      talked.then(() => undefined),
      followed.then(() => undefined),
    ]);
    if (!this.#isOpened) {
      this.#unsaid += 1;
      this.#call.output.notice(`Nothing was said: the private chat with ${this.#username} was not open yet.`);
    }
    // What is left of the input has nowhere to go; and what is not read keeps the process.
    if (this.#isOpened && this.#hasLine) this.#notSaid("the private chat is over.");
    this.#call.environment.stdin.destroy();
    this.#call.output.check();
    return this.#codeOf(ended);
  }

  /** Says goodbye, and stays a moment to learn what has arrived. */
  async #stop(): Promise<ChatEnded | undefined> {
    const { chats, ending } = this.#run;
    if (!this.#isOpened) return undefined;
    if (this.#isThere) await chats.stop(this.#username, ending);
    const waited = await waitFor(this.#over.promise, { ms: ENDED_MS });
    return waited.status === "done" ? waited.value : undefined;
  }

  #codeOf(ended: ChatEnded | undefined): 0 | 1 {
    if (ended !== undefined) this.#call.output.notice(endedWords(ended, this.#call.environment.program));
    const lost = Number(this.#said - this.#received);
    if (lost > 0) this.#call.output.notice(`${lost} of your lines are not known to have arrived.`);
    return lost > 0 || this.#unsaid > 0 || (ended !== undefined && ended.how.kind !== "goodbye")
      ? Exit.REFUSED
      : Exit.DONE;
  }

  /** Asks until the chat is open, or there is no hope. */
  async #begin(): Promise<void> {
    const { chats, signal } = this.#run;
    this.#until = performance.now() + (this.#call.values.wait ?? 0);
    while (!this.#isOpened && !signal.aborted) {
      this.#again = Promise.withResolvers();
      try {
        await chats.start(this.#username, { direct: this.#direct });
        await Promise.race([this.#opened.promise, this.#again.promise]);
        if (!this.#isOpened) await this.#pause(AGAIN_MS);
      } catch (error) {
        await this.#waitAfter(error);
      }
    }
    await this.#opened.promise;
  }

  /** Waits a moment where it is worth to ask again. @throws what ends the command, where it is not */
  async #waitAfter(error: unknown): Promise<void> {
    // The other one asks already, or was told yes: that comes by itself, or to nothing.
    const isCrossing = error instanceof NotSentError || isRefusal(error, "INTRODUCTION_PENDING");
    const isAway = isRefusal(error, "USER_OFFLINE") || isRefusal(error, "PRIVATE_CHAT_UNAVAILABLE");
    const left = this.#until - performance.now();
    if (!isCrossing && !(isAway && left > 0)) throw this.#refused(error);
    await this.#pause(isCrossing ? AGAIN_MS : Math.min(AGAIN_MS, left));
  }

  async #pause(ms: number): Promise<void> {
    await waitFor(this.#opened.promise, { ms });
  }

  /** A refusal in a person's words; anything else is a fault of this program, or of the connection to the server. */
  #refused(error: unknown): unknown {
    const isTold = error instanceof RpcError || error instanceof KeyProblemError;
    return isTold && !(error instanceof RpcError && isLoggedOut(error)) ? this.#noChat(error) : error;
  }

  #noChat(error: Error): CommandError {
    const words = failedWords(this.#username, error, this.#call.environment.program);
    return new CommandError(Exit.REFUSED, words, { cause: error });
  }

  async #talk(): Promise<void> {
    const { chats } = this.#run;
    for await (const line of standardInput(this.#call.environment.stdin)) {
      this.#hasLine = true;
      await chats.whenWritable(this.#username);
      if (!this.#isThere) break;
      if (line.kind === "line") this.#say(line.text);
      else this.#notSaid(`the line ${line.problem === "too-long" ? "is too long" : "is no UTF-8"}.`);
      this.#hasLine = false;
      this.#run.reportActivity();
    }
    if (this.#isThere) chats.finish(this.#username);
    await this.#over.promise;
  }

  #say(text: string): void {
    try {
      // No line of a private chat is empty: a blank one goes as a space.
      this.#run.chats.send(this.#username, text === "" ? " " : text);
      this.#said += 1n;
    } catch (error) {
      if (!(error instanceof NotSentError)) throw error;
      this.#notSaid(error.message);
    }
  }

  #notSaid(why: string): void {
    this.#unsaid += 1;
    this.#call.output.notice(`Not said: ${why}`);
  }

  get #isThere(): boolean {
    return this.#run.chats.openChats.some(({ username }) => username === this.#username);
  }

  async #follow(): Promise<void> {
    const { chats } = this.#run;
    for await (const event of chats.events) {
      if ("username" in event && event.username !== this.#username) await this.#other(event, chats);
      else await this.#take(event, chats);
    }
  }

  /** Somebody else asks: not here. Whatever becomes of that answer, it is no reason to end what was asked for. */
  async #other(event: PrivateEvent, chats: PrivateChats): Promise<void> {
    if (event.type !== "requested") return;
    try {
      await chats.answer(event.username, "pass");
    } catch (error) {
      // Where the server was not reached, the question comes again once it is.
      if (error instanceof ConnectError || isRequestGone(error)) return;
      if (!(error instanceof RpcError)) throw error;
      if (!isConnectionLost(error)) this.#call.output.notice(failedWords(event.username, error));
    }
  }

  /** To name somebody is to want to speak with that one. */
  async #accept(chats: PrivateChats): Promise<void> {
    try {
      await chats.answer(this.#username, "accept", { direct: this.#direct });
    } catch (error) {
      // As if it had not come: that one is asked in turn.
      if (!isRequestGone(error)) throw this.#refused(error);
    }
  }

  /** What was asked for, or agreed on, came to nothing. @throws CommandError where it is not worth to ask again */
  #failed(error: Error): void {
    if (!isGone(error) || performance.now() >= this.#until) throw this.#noChat(error);
    this.#again.resolve();
  }

  async #take(event: PrivateEvent, chats: PrivateChats): Promise<void> {
    const { program } = this.#call.environment;
    switch (event.type) {
      case "requested":
        return this.#accept(chats);
      case "opened":
        this.#call.output.notice(`Private chat with ${event.username}: ${pathWords[event.path]}.`);
        for (const sentence of keyWords(event, program)) this.#call.output.notice(sentence);
        this.#isOpened = true;
        this.#opened.resolve();
        return;
      case "line":
        return this.#line(event, chats);
      case "marks":
        this.#received = event.received;
        return;
      case "failed":
        return this.#failed(event.error);
      case "ended":
        this.#over.resolve(event);
        return;
      case "background-error":
        this.#call.output.notice(event.error.message);
        return;
      case "waiting":
        this.#call.output.notice(
          `${event.username} is asked for a private chat, and has ${Math.round(event.timeoutMs / 1000)} s to answer.`,
        );
        return;
      case "request-closed":
      case "typing":
      case "finished":
        return;
    }
  }

  async #line({ mine, number, time, content }: LineEvent, chats: PrivateChats): Promise<void> {
    const { context, signedIn } = this.#run;
    if (content.kind === "text" && this.#call.values["keep-private"] === true) {
      const lines = context.state.privateLines(signedIn.profile.profileId);
      lines.add({ username: this.#username, mine, time: time ?? new Date(), text: content.text });
    }
    if (mine) return;
    const text = content.kind === "text" ? content.text : "(something that this program is too old for)";
    const said = content.kind === "text" ? ({ $case: "text", value: content.text } as const) : undefined;
    const value: Line = { number, time, content: said };
    await this.#call.output.result(
      { typeName: "parley.peer.v1.Line", codec: Line, value },
      Styled.of(text.replaceAll("\n", "\n    ")),
    );
    chats.markRead(this.#username);
  }
}

/** The other one went before the chat was open, and may be back; anything else stays as it is. */
function isGone(error: Error): boolean {
  if (error instanceof RpcError) return gone.includes(error.reason);
  return error instanceof ConnectError && (error.kind === "timeout" || error.kind === "unreachable");
}

function isRefusal(error: unknown, reason: string): boolean {
  return error instanceof RpcError && error.reason === reason;
}

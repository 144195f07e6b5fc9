// The chat from start to end: signs in, runs it at a screen or in plain lines, and says how it ended.
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { ConnectError } from "../../../rpc/dialling/dial.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { type Link, openLink } from "../../link/link.ts";
import { isConnectionLost, isLoggedOut } from "../../link/model/errors.ts";
import type { LinkEnding } from "../../link/model/events.ts";
import type { PrivateChats } from "../../peer/private-chats.ts";
import { State } from "../../state/state.ts";
import { choose, clientInfo, type SignedIn, type SignInContext, signIn } from "../account/sign-in.ts";
import { cannotConnect } from "../account/trusted-server.ts";
import type { Wanted } from "../command/account-flags.ts";
import { defaultAddress, readAddress } from "../command/address.ts";
import type { PrivateWanted } from "../private/flags.ts";
import { openPeerDebug } from "../private/peer-debug.ts";
import { endingAfter, openPrivateChats, privateLinkOptions } from "../private/session.ts";
import type { Environment } from "../process/environment.ts";
import { CommandError, Exit, type ExitCode } from "../process/exit.ts";
import { forPerson } from "../process/explain.ts";
import { type Asker, terminalAsker } from "../process/prompts.ts";
import { PromptInput } from "../terminal/input/prompt-input.ts";
import { PlainIO } from "../terminal/plain-io.ts";
import { ENDING_SIGNALS, type EndingSignal, type TerminalHost } from "../terminal/terminal-host.ts";
import { safeText } from "../terminal/text/safe-text.ts";
import { wrap } from "../terminal/text/width.ts";
import type { BellSetting } from "./incoming/attention.ts";
import type { ChatOutcome } from "./model/outcome.ts";
import type { PrivateSettings } from "./model/private-link.ts";
import { runPlain } from "./plain/plain.ts";
import { plainAsker, plainSignIn } from "./plain/plain-sign-in.ts";
import { lostWords, pathWords } from "./private/private-words.ts";
import { runInteractive } from "./screen/interactive.ts";

export type { BellSetting } from "./incoming/attention.ts";

export interface ChatOptions {
  readonly environment: Environment;
  readonly wanted: Wanted;
  /** Whole lines even at a terminal. */
  readonly plain: boolean;
  readonly bell: BellSetting;
  readonly privately: PrivateWanted;
}

/** How long leaving waits for what is on its way, ms. */
const LEAVING_MS = 3_000;

/**
 * Runs the chat; resolves to the exit code. It is plain where standard input or output is no terminal, or a dumb one.
 * @throws CommandError, RpcError and others that explain.ts knows, from signing in
 */
export async function runChat(options: ChatOptions): Promise<ExitCode> {
  const { environment } = options;
  const { stdin, stdout, stderr, variables } = environment;
  const notice = (sentence: string): void => {
    const text = safeText(sentence, { multiline: true });
    const rows = stderr.isTTY ? wrap(text, stderr.columns || 80) : [text];
    stderr.write(`${rows.join("\n")}\n`);
  };
  // There is nobody left to tell, as where the window was closed.
  stderr.on("error", () => undefined);
  using state = new State(environment.home, { onProblem: (error) => notice(error.message) });
  const plain = options.plain || !stdin.isTTY || !stdout.isTTY || variables.TERM === "dumb";
  return plain ? await plainChat(options, state, notice) : await screenChat(options, state, notice);
}

type Notice = (sentence: string) => void;

async function screenChat(options: ChatOptions, state: State, notice: Notice): Promise<ExitCode> {
  const { environment, bell } = options;
  const { stdin: input, stdout: output, variables: env } = environment;
  for (let wanted = options.wanted; ; ) {
    await using signedIn = await askedIn({ environment, state, asker: undefined, notice }, wanted).catch(
      (error: unknown) => {
        throw forPerson(error);
      },
    );
    const { address, username: me } = signedIn.profile;
    const { outcome, code } = await linked(
      { environment, state, asker: undefined, notice },
      signedIn,
      { ...options, wanted },
      (parts) => runInteractive({ ...parts, address, me, bell, input, output, env, host: environment.host }),
    ).catch((error: unknown) => {
      throw forPerson(error);
    });
    const { ending, reached } = outcome.kind === "ended" ? outcome : { ending: undefined, reached: true };
    if (ending?.kind !== "not-logged-in") return code;
    notice(loggedOutWords(ending.cause));
    if (reached) return code;
    // What was stored is of no use any more: a person can say the password and go on.
    wanted = { ...wanted, as: me, server: address };
  }
}

function loggedOutWords({ reason, message }: RpcError): string {
  if (reason === "SESSION_TIMED_OUT") return "You are logged out: no command came for too long.";
  if (reason !== "SESSION_ENDED") return `You are logged out: ${message}`;
  return "You are logged out: the session was ended elsewhere, by a log-out in another window or a new password, say.";
}

/** Signs in with a person to ask. What is typed ahead of a question is for the next one, or for the screen. */
async function askedIn(context: SignInContext, wanted: Wanted): Promise<SignedIn> {
  const { environment } = context;
  using stdin = new PromptInput(environment.stdin);
  // enquirer needs of a terminal's input what is lent here; the type of a real one has much more.
  const lent = { ...environment, stdin: stdin as unknown as Environment["stdin"] };
  return await screenSignIn({ ...context, asker: terminalAsker(lent) }, wanted);
}

/** Asks for the server too where none is known and none answers at the usual place. */
async function screenSignIn(context: SignInContext, wanted: Wanted): Promise<SignedIn> {
  const { state, environment, asker } = context;
  try {
    return await signIn(context, wanted);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const nowhere = wanted.server === undefined && state.profiles.server() === undefined;
    if (!nowhere || asker === undefined) throw explained(environment, choose(state, wanted).address, error);
    asker.tell(`No server answers at ${defaultAddress}.`);
  }
  return signInWhere(context, asker, wanted);
}

/** Asks for the server until one answers; the person can break off. */
async function signInWhere(context: SignInContext, asker: Asker, wanted: Wanted): Promise<SignedIn> {
  for (;;) {
    const server = await askAddress(asker);
    try {
      return await signIn(context, { ...wanted, server });
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      // A key that is not the expected one is a hard stop, not a slip of the fingers.
      if (error.found !== undefined) throw explained(context.environment, server, error);
      asker.tell(safeText(error.message));
    }
  }
}

async function askAddress(asker: Asker): Promise<string> {
  for (;;) {
    const typed = (await asker.text("Server (HOST:PORT)")).trim();
    try {
      return readAddress(typed);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      asker.tell(safeText(error.message));
    }
  }
}

function explained(environment: Environment, address: string, error: ConnectError): CommandError {
  return cannotConnect(address, error, [environment.program, "login"]);
}

async function plainChat(options: ChatOptions, state: State, notice: Notice): Promise<ExitCode> {
  const { environment, wanted } = options;
  const { stdin, stdout } = environment;
  using io = new PlainIO({ input: stdin, output: stdout });
  const asker = stdin.isTTY ? plainAsker(io, notice) : undefined;
  const context: SignInContext = { environment, state, asker, notice };
  await using signedIn = await plainSignIn(context, io, wanted).catch(async (error: unknown) => {
    if (!(error instanceof ConnectError)) throw error;
    throw explained(environment, choose(state, wanted).address, error);
  });
  const { address, username: me } = signedIn.profile;
  // From here on there is something to end in order.
  using interruption = new Interruption(environment.host);
  const { outcome, code } = await linked(context, signedIn, options, (parts) =>
    runPlain({ ...parts, address, me, io, interrupted: interruption.signal }),
  ).catch(async (error: unknown) => {
    const told = forPerson(error);
    // What the server says is an answer, for whoever reads those; a failure of this program is not.
    if (!(error instanceof RpcError && told instanceof CommandError)) throw told;
    await io.writeLine(told.message);
    throw new CommandError(told.exitCode, "");
  });
  if (outcome.kind === "ended" && outcome.ending.kind === "not-logged-in") {
    await io.writeLine(`Error: ${lowerFirst(loggedOutWords(outcome.ending.cause))}`);
  }
  return code;
}

interface Finished {
  readonly outcome: ChatOutcome;
  readonly code: ExitCode;
}

/** Runs the chat over a link of its own, and leaves the server as the outcome says. */
async function linked(
  context: SignInContext,
  signedIn: SignedIn,
  { wanted, privately }: Pick<ChatOptions, "wanted" | "privately">,
  run: (parts: Linked) => Promise<ChatOutcome>,
): Promise<Finished> {
  const { state } = context;
  const { profile, endpoint, token } = signedIn;
  using _hangUps = new HangUps(environment.host);
  const { answer, path, keep } = privately;
  const kept = state.privateLines(profile.profileId);
  const privateSettings = { answer, path, kept, lines: keep ? kept : undefined };
  await using privateChats = await openPrivateChats(context, signedIn, privately);
  if (wanted.fresh === true && answer === "accept") context.notice(letInWords(path));
  await using _debug = privately.debug ? await openPeerDebug(context.notice) : undefined;
  await using link = openLink({
    ...privateLinkOptions(privateChats),
    endpoint,
    token,
    client: clientInfo(),
    serverId: profile.serverId,
    cursors: state.cursors(profile.profileId),
    queue: state.sendQueue(profile.profileId),
  });
  let outcome: ChatOutcome | undefined;
  try {
    outcome = await run({ link, privateChats, privateSettings, logsOut: wanted.fresh === true });
    const lost = await privateChats.close(privateEnding(outcome, wanted.fresh === true));
    for (const sentence of lostWords(lost)) context.notice(sentence);
    return { outcome, code: await leave(outcome, context, signedIn, link) };
  } finally {
    // The original's way of leaving, however that comes about: who has left is logged out.
    const isLoggedOut = outcome !== undefined && endsLogin(outcome);
    if (wanted.fresh === true && !isLoggedOut) await endLogin(context, signedIn);
  }
}

interface Linked {
  readonly link: Link;
  readonly privateChats: PrivateChats;
  readonly privateSettings: PrivateSettings;
  readonly logsOut: boolean;
}

/** The original's way, which nobody is to find out about by being called. */
function letInWords(path: PrivateWanted["path"]): string {
  const way = pathWords[path === "direct" ? "direct" : "relayed"];
  return `Private chats are let in without asking, ${way}. With --private-answer ask you are asked.`;
}

/** What those with whom private chats are open are told. */
function privateEnding(outcome: ChatOutcome, logsOut: boolean): Ending {
  const left = logsOut || outcome.kind === "logout" ? Ending.LOGGED_OUT : Ending.LEFT;
  return outcome.kind === "ended" ? endingAfter(outcome.ending, left) : left;
}

function endsLogin(outcome: ChatOutcome): boolean {
  return outcome.kind === "logout" || (outcome.kind === "ended" && outcome.ending.kind === "not-logged-in");
}

/** Forgotten here in any case. */
async function endLogin({ notice, state }: SignInContext, signedIn: SignedIn): Promise<void> {
  try {
    await logOut(signedIn, notice);
  } finally {
    state.profiles.loggedOut(signedIn.profile.profileId);
  }
}

async function leave(
  outcome: ChatOutcome,
  context: SignInContext,
  signedIn: SignedIn,
  link: Link,
): Promise<ExitCode> {
  const { environment, notice } = context;
  const { profile } = signedIn;
  switch (outcome.kind) {
    case "quit":
    case "terminal-gone":
      await settle(link, context, signedIn);
      return Exit.DONE;
    case "logout":
      await settle(link, context, signedIn);
      await endLogin(context, signedIn);
      return Exit.DONE;
    case "signal":
      // As `tail`: whoever stops the process from outside gets what was asked for.
      return outcome.signal === "SIGINT" ? Exit.INTERRUPTED : Exit.DONE;
    case "unsent": {
      const what = outcome.messages === 1 ? "1 message is" : `${outcome.messages} messages are`;
      // Where private lines alone did not arrive, that was told.
      if (outcome.messages > 0)
        notice(`Error: ${what} not sent: the connection is lost. The next chat as this user sends them.`);
      return Exit.OUTCOME_UNKNOWN;
    }
    case "cannot-connect":
      if (!(outcome.cause instanceof ConnectError)) throw outcome.cause;
      throw explained(environment, profile.address, outcome.cause);
    case "ended":
      return leaveEnded(outcome.ending, context, signedIn);
  }
}

function leaveEnded(
  ending: LinkEnding,
  { environment, state }: SignInContext,
  { profile }: SignedIn,
): ExitCode {
  switch (ending.kind) {
    case "closed":
      return Exit.DONE;
    case "not-logged-in":
      state.profiles.loggedOut(profile.profileId);
      return Exit.NOT_LOGGED_IN;
    case "not-trusted":
      throw cannotConnect(profile.address, ending.cause, [environment.program, "--as", profile.username]);
    case "refused":
    case "failed":
      throw ending.cause;
  }
}

/** What is on its way gets a moment; what does not get through stays in the queue. */
async function settle(link: Link, { notice, state }: SignInContext, { profile }: SignedIn): Promise<void> {
  const timeout = Promise.withResolvers<"timeout">();
  const timer = setTimeout(() => timeout.resolve("timeout"), link.state.phase === "live" ? LEAVING_MS : 0);
  try {
    const settled = link.settled().then(
      () => "settled" as const,
      () => "timeout" as const,
    );
    if ((await Promise.race([settled, timeout.promise])) === "settled") return;
    const unsent = state.unsent(profile.profileId).filter(({ held }) => !held).length;
    const what =
      unsent === 1 ? "1 message is not sent yet; it goes" : `${unsent} messages are not sent yet; they go`;
    if (unsent > 0) notice(`${what} the next time you start parley.`);
  } finally {
    clearTimeout(timer);
  }
}

async function logOut({ account, profile }: SignedIn, notice: Notice): Promise<void> {
  try {
    await account.logOut({ timeoutMs: LEAVING_MS });
  } catch (error) {
    // It was over already, which is what was asked for.
    if (error instanceof RpcError && isLoggedOut(error)) return;
    const lost = error instanceof ConnectError || (error instanceof RpcError && isConnectionLost(error));
    if (!lost) throw error;
    notice(`The server was not told: the session of ${profile.username} lasts there until it expires.`);
  }
}

/** Turns the signals that end a process into one that ends a plain chat in order. */
class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #listeners = ENDING_SIGNALS.map((name) => ({
    name,
    // Only once: the same signal a second time ends the process as usual.
    listener: () => {
      this.#off(name);
      this.#controller.abort(name);
    },
  }));
  readonly #host: TerminalHost;

  constructor(host: TerminalHost) {
    this.#host = host;
    for (const { name, listener } of this.#listeners) host.on(name, listener);
  }

  /** Aborted with the name of the signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const { name } of this.#listeners) this.#off(name);
  }

  #off(name: EndingSignal): void {
    for (const one of this.#listeners) if (one.name === name) this.#host.off(name, one.listener);
  }
}

/**
 * A window that is closed says so more than once: the kernel does, and the shell when it goes. The first time ends the
 * chat; until that is done, the others are not to end the process.
 */
class HangUps implements Disposable {
  readonly #listener = (): void => undefined;

  readonly #host: TerminalHost;

  constructor(host: TerminalHost) {
    this.#host = host;
    host.on("SIGHUP", this.#listener);
  }

  [Symbol.dispose](): void {
    this.#host.off("SIGHUP", this.#listener);
  }
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

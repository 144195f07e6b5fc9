// Runs the chat from sign-in to exit code, at a screen or in plain lines.
import { ConnectError } from "../../../rpc/dialling/dial.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { systemClock } from "../../../time/clock.ts";
import { waitFor } from "../../../time/wait.ts";
import { State } from "../../state/state.ts";
import { loggedOutWords } from "../account/logged-out.ts";
import { choose, type SignedIn, type SignInContext } from "../account/sign-in.ts";
import type { Wanted } from "../command/account-flags.ts";
import type { PrivateWanted } from "../private/flags.ts";
import type { Environment } from "../process/environment.ts";
import { CommandError, Exit, type ExitCode } from "../process/exit.ts";
import { failureForPerson } from "../process/failure.ts";
import { PlainIO } from "../terminal/plain-io.ts";
import { safeText } from "../terminal/text/safe-text.ts";
import { wrap } from "../terminal/text/width.ts";
import type { BellSetting } from "./incoming/attention.ts";
import { askSignIn, connectFailure } from "./lifecycle/ask-sign-in.ts";
import { IgnoredKeys } from "./lifecycle/ignored-keys.ts";
import { type Finished, runLinked } from "./lifecycle/run-linked.ts";
import { Interruption } from "./lifecycle/signals.ts";
import { runPlain } from "./plain/plain.ts";
import { plainAsker, plainSignIn } from "./plain/plain-sign-in.ts";
import { runInteractive } from "./screen/interactive.ts";

export type { BellSetting } from "./incoming/attention.ts";

export interface RunChatOptions {
  readonly environment: Environment;
  readonly wanted: Wanted;
  /** Plain lines even at a terminal. */
  readonly plain: boolean;
  readonly bell: BellSetting;
  readonly privately: PrivateWanted;
}

type Notice = (sentence: string) => void;

/**
 * Runs the chat and resolves to the exit code. It runs in plain lines if standard input or output is not a terminal, or
 * TERM is "dumb".
 * @throws CommandError, RpcError and other errors that failure.ts describes, from signing in
 */
export async function runChat(options: RunChatOptions): Promise<ExitCode> {
  const { environment } = options;
  const { stdin, stdout, stderr, variables } = environment;
  const notice = (sentence: string): void => {
    const text = safeText(sentence);
    const rows = stderr.isTTY ? wrap(text, stderr.columns || 80) : [text];
    stderr.write(`${rows.join("\n")}\n`);
  };
  // Writing fails when the terminal's window was closed. The chat ends by other means then.
  stderr.on("error", () => undefined);
  using state = new State(environment.home, { onProblem: (error) => notice(error.message) });
  const plain = options.plain || !stdin.isTTY || !stdout.isTTY || variables.TERM === "dumb";
  return plain ? await plainChat(options, state, notice) : await screenChat(options, state, notice);
}

async function screenChat(options: RunChatOptions, state: State, notice: Notice): Promise<ExitCode> {
  const { environment } = options;
  const context: SignInContext = { environment, state, asker: undefined, notice };
  for (let wanted = options.wanted; ; ) {
    await using signedIn = await askSignIn(context, wanted).catch((error: unknown) => {
      throw failureForPerson(error);
    });
    using keys = new IgnoredKeys(environment.stdin, systemClock);
    const { outcome, code } = await linkedScreen(context, signedIn, { ...options, wanted }, keys).catch(
      async (error: unknown) => {
        const explained = failureForPerson(error);
        if (!(explained instanceof CommandError)) throw explained;
        // Printed before the keys are quiet, because the user may look at the screen only now.
        if (explained.message !== "") for (const line of explained.lines) notice(line);
        await keys.untilQuiet();
        throw new CommandError(explained.exitCode, "", { cause: error });
      },
    );
    const { ending, reached } = outcome.kind === "ended" ? outcome : { ending: undefined, reached: true };
    if (ending?.kind === "not-logged-in") notice(loggedOutWords(ending.cause));
    if (ending?.kind !== "not-logged-in" || reached) {
      await keys.untilQuiet();
      return code;
    }
    // The stored session is no longer valid: ask for the password and go on.
    const { address, username } = signedIn.profile;
    wanted = { ...wanted, as: username, server: address };
  }
}

function linkedScreen(
  context: SignInContext,
  signedIn: SignedIn,
  options: RunChatOptions,
  keys: IgnoredKeys,
): Promise<Finished> {
  const { stdin: input, stdout: output, variables: env, host } = context.environment;
  const { address, username: me } = signedIn.profile;
  const ended = (byItself: boolean, lines: readonly string[]): void => {
    if (byItself) keys.start();
    for (const text of lines) for (const line of ["Not sent:", ...text.split("\n")]) context.notice(line);
  };
  return runLinked(context, signedIn, options, (parts) =>
    runInteractive({ ...parts, address, me, bell: options.bell, input, output, env, host, ended }),
  );
}

async function plainChat(options: RunChatOptions, state: State, notice: Notice): Promise<ExitCode> {
  const { environment, wanted } = options;
  const { stdin, stdout } = environment;
  using io = new PlainIO({ input: stdin, output: stdout });
  const asker = stdin.isTTY ? plainAsker(io, notice) : undefined;
  const context: SignInContext = { environment, state, asker, notice };
  using interruption = new Interruption(environment.host);
  const signing = plainSignIn(context, io, wanted).catch(async (error: unknown) => {
    if (!(error instanceof ConnectError)) throw error;
    throw connectFailure(environment, choose(state, wanted).address, error);
  });
  const signed = await waitFor(signing, { signal: interruption.signal });
  if (signed.status !== "done") throw new CommandError(Exit.INTERRUPTED, "");
  await using signedIn = signed.value;
  const { address, username: me } = signedIn.profile;
  using keys = new IgnoredKeys(stdin, systemClock);
  const { outcome, code } = await runLinked(context, signedIn, options, async (parts) => {
    const isNewLogin = signedIn.isNew;
    const ended = await runPlain({ ...parts, address, me, io, isNewLogin, interrupted: interruption.signal });
    if (stdin.isTTY && (ended.kind === "ended" || ended.kind === "signal")) keys.start();
    return ended;
  }).catch(async (error: unknown) => {
    const explained = failureForPerson(error);
    // A script reads the server's refusals on standard output; failures of this program go to standard error.
    if (!(error instanceof RpcError && explained instanceof CommandError)) throw explained;
    await io.writeLine(explained.message);
    await keys.untilQuiet();
    throw new CommandError(explained.exitCode, "");
  });
  if (outcome.kind === "ended" && outcome.ending.kind === "not-logged-in") {
    await io.writeLine(`Error: ${loggedOutWords(outcome.ending.cause)}`);
  }
  await keys.untilQuiet();
  return code;
}

// Describes an error by an exit code and a message that says what happened and what to do next.
import { status } from "@grpc/grpc-js";
import { UsageError } from "../../../command-line/usage-error.ts";
import { ConnectError } from "../../../rpc/dialling/dial.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import {
  BrokenStreamError,
  isConnectionLost,
  isDeadlineExceeded,
  isLoggedOut,
  OutcomeUnknownError,
} from "../../link/model/errors.ts";
import { StateError, StateFolderError } from "../../state/database.ts";
import { CommandError, Exit, type ExitCode } from "./exit.ts";

export interface Failure {
  readonly exitCode: ExitCode;
  /** "" for no message. It has not been made safe for a terminal. */
  readonly message: string;
}

export function describeFailure(error: unknown): Failure {
  if (error instanceof CommandError || error instanceof UsageError) return error;
  if (error instanceof OutcomeUnknownError) {
    const { message, clientMessageId } = error;
    return {
      exitCode: Exit.OUTCOME_UNKNOWN,
      message: `${sentence(message)} Repeat the same command with --id ${clientMessageId}: it is stored once.`,
    };
  }
  if (error instanceof ConnectError) {
    return { exitCode: Exit.CANNOT_CONNECT, message: `${sentence(error.message)} Nothing was sent.` };
  }
  if (error instanceof StateFolderError) {
    const message = `${sentence(error.message)} Set the environment variable PARLEY_HOME to another folder.`;
    return { exitCode: Exit.REFUSED, message };
  }
  if (error instanceof StateError) return { exitCode: Exit.REFUSED, message: sentence(error.message) };
  if (error instanceof RpcError) return describeRpcError(error);
  if (error instanceof BrokenStreamError) {
    const message = `The server does not follow the contract: ${sentence(error.message)} Try again, or ask its operator.`;
    return { exitCode: Exit.REFUSED, message };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { exitCode: Exit.REFUSED, message: `Something failed in this program: ${sentence(message)}` };
}

/** The message of a refusal without the name of its reason, which is for scripts. */
export function messageForPerson(error: RpcError): string {
  return describeFailure(error).message.replace(/ \([A-Z_]+\)$/, "");
}

/**
 * The error that ends an interactive program: its message is one line that begins with "Error:". Errors with a message
 * for a person are returned unchanged.
 */
export function failureForPerson(error: unknown): unknown {
  if (error instanceof CommandError || error instanceof UsageError || error instanceof ConnectError)
    return error;
  const { exitCode, message } = describeFailure(error);
  const words = error instanceof RpcError ? messageForPerson(error) : message;
  return new CommandError(exitCode, `Error: ${words}`, { cause: error });
}

function describeRpcError(error: RpcError): Failure {
  if (isConnectionLost(error)) {
    const why = isDeadlineExceeded(error) ? "the time to wait has passed" : error.message;
    return {
      exitCode: Exit.OUTCOME_UNKNOWN,
      message: `No answer came, so it is not known whether it was done: ${sentence(why)} Try again.`,
    };
  }
  const delay =
    error.retryDelayMs === undefined ? "" : ` Try again in ${Math.ceil(error.retryDelayMs / 1000)} s.`;
  const reason = error.reason === "" ? (status[error.code] ?? String(error.code)) : error.reason;
  return {
    exitCode: isLoggedOut(error) ? Exit.NOT_LOGGED_IN : Exit.REFUSED,
    message: `${sentence(error.message)}${delay} (${reason})`,
  };
}

/** The text with a full stop at its end, unless it ends with another mark. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  return /[.!?:]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

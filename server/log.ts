// The server's log: pino behind an interface that takes a fixed list of facts, so that no request and no secret slips in.
import { type DestinationStream, destination, pino } from "pino";

/** What may stand beside a message: nothing else compiles. Never a message's text, a password, a token or an invite. */
export interface LogFields {
  /** What failed. Name, message, code and stack are written, and those of its causes; nothing else of it. */
  readonly err?: unknown;
  /** What happened, for whoever filters: "log-in refused". */
  readonly event?: string;
  readonly username?: string;
  /** A peer's address, without port. */
  readonly address?: string;
  /** An id on the wire. */
  readonly session?: string;
  readonly method?: string;
  /** How many of what the message speaks of. */
  readonly count?: number;
  /** How many sessions an event ended. */
  readonly ended?: number;
  readonly file?: string;
  /** A line of that file, from 1. */
  readonly line?: number;
  readonly problem?: string;
  readonly host?: string;
  readonly port?: number;
  readonly fingerprint?: string;
  readonly signal?: string;
  readonly version?: string;
}

type Write = (fields: LogFields, message: string) => void;

export interface Log {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  readonly fatal: Write;
}

export const logLevels = ["debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogOptions {
  readonly level: LogLevel;
  /** Appended to; made with mode 0600 where missing. */
  readonly file?: string | undefined;
  /** Without a file: whether a person reads standard error, and so wants words, and of nothing below a warning. */
  readonly forPerson: boolean;
  /** Writes to standard error. */
  readonly writeError: (text: string) => void;
}

export interface OpenLog extends Log, Disposable {
  /** Opens the file anew: it was renamed, and the next line goes to one of the old name. */
  reopen(): void;
}

/** Guards against a careless cast: written as [Redacted] should a fact of that name ever get here. */
const SECRETS = ["password", "token", "secret", "deviceSecret", "invite", "text", "content", "passwordHash"];

/** Each line is written before its call returns, so that none is lost at the end. Throws where the file cannot be opened. */
export function openLog({ level, file, forPerson, writeError }: LogOptions): OpenLog {
  const opened = file === undefined ? undefined : openFile(file);
  const inWords = opened === undefined && forPerson;
  const sink: DestinationStream = opened ?? { write: inWords ? wordWriter(writeError) : writeError };
  const logger = pino(
    {
      level: inWords && logLevels.indexOf(level) < logLevels.indexOf("warn") ? "warn" : level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: SECRETS,
      serializers: { err: (error: unknown) => describeError(error) },
    },
    sink,
  );
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    fatal: (fields, message) => logger.fatal(fields, message),
    reopen: () => opened?.reopen(),
    [Symbol.dispose]: () => opened?.end(),
  };
}

/** A log that writes nothing. */
export function silentLog(): Log {
  const drop = (): void => undefined;
  return { debug: drop, info: drop, warn: drop, error: drop, fatal: drop };
}

function openFile(file: string) {
  return destination({ dest: file, append: true, sync: true, mode: 0o600 });
}

interface ErrorFacts {
  type: string;
  message: string;
  code?: string | number;
  stack?: string;
  cause?: ErrorFacts;
}

/** Not pino's own, which writes every property that an error carries: a refused request might be one. */
function describeError(error: unknown, depth = 0): ErrorFacts {
  if (!(error instanceof Error)) return { type: typeof error, message: "not an Error was thrown" };
  const { name, message, stack, cause } = error;
  const code = "code" in error ? error.code : undefined;
  return {
    type: name,
    message,
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined || depth >= 3 ? {} : { cause: describeError(cause, depth + 1) }),
  };
}

const REPEAT_EVERY_MS = 60_000;
const MOST_REMEMBERED = 100;

/** One sentence each, and the same one at most once a minute: a broken disk must not fill the screen. */
function wordWriter(writeError: (text: string) => void): (line: string) => void {
  const lastShown = new Map<string, number>();
  return (line) => {
    const { msg, err } = JSON.parse(line) as { msg: string; err?: ErrorFacts };
    const sentence = err === undefined ? msg : `${msg}: ${err.message}`;
    const now = Date.now();
    if (now - (lastShown.get(sentence) ?? 0) < REPEAT_EVERY_MS) return;
    if (lastShown.size >= MOST_REMEMBERED) lastShown.clear();
    lastShown.set(sentence, now);
    writeError(`parley-server: ${sentence}\n`);
  };
}

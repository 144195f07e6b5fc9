// The server's log: pino behind an interface with a fixed list of fields, so that no request and no secret is logged.
import { LRUCache } from "lru-cache";
import { type DestinationStream, destination, pino } from "pino";

/**
 * The fields of a log line; the compiler rejects others. Passwords, tokens, invites, and the texts of messages are not
 * logged.
 */
export interface LogFields {
  /** The error. Only its name, message, code and stack are written, and those of its causes. */
  readonly err?: unknown;
  /** The kind of event, to filter by: "log-in refused". */
  readonly event?: string;
  readonly username?: string;
  /** The client's network address, without port. */
  readonly address?: string;
  /** The session's id, as on the wire. */
  readonly session?: string;
  readonly method?: string;
  /** The name of the user, or the id of the invite, that an administrator changed. */
  readonly subject?: string;
  /** The number of things in the message. */
  readonly count?: number;
  /** The number of sessions that the event ended. */
  readonly ended?: number;
  readonly file?: string;
  /** The line in that file, from 1. */
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
  /** The file that the log is appended to. It is created with mode 0600 if missing. */
  readonly file?: string | undefined;
  /**
   * Whether standard error is a terminal. If it is and there is no file, only warnings and errors are written, as
   * sentences.
   */
  readonly forPerson: boolean;
  /** Writes to standard error. */
  readonly writeError: (text: string) => void;
}

export interface OpenLog extends Log, Disposable {
  /** Opens the file again, after a rotation renamed it. */
  reopen(): void;
}

/** Fields that are written as [Redacted] if a cast bypasses the type: of a line, and of an object in a field. */
const SECRETS = [
  ...["password", "oldPassword", "newPassword", "passwordHash"],
  ...["token", "botToken", "secret", "deviceSecret", "invite", "reset"],
  ...["text", "content"],
].flatMap((name) => [name, `*.${name}`]);

/**
 * Opens the log. Each line is written before the call returns, so that no line is lost when the process ends.
 * @throws Error if the file cannot be opened
 */
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

/** Replaces pino's serializer, which writes every property of an error: a property could be a request. */
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
const MOST_SENTENCES = 100;

/** Makes a writer that writes one sentence per line, and the same sentence at most once a minute. */
function wordWriter(writeError: (text: string) => void): (line: string) => void {
  const lastShown = new LRUCache<string, number>({ max: MOST_SENTENCES });
  return (line) => {
    const { msg, err } = JSON.parse(line) as { msg: string; err?: ErrorFacts };
    const sentence = err === undefined ? msg : `${msg}: ${err.message}`;
    const now = Date.now();
    if (now - (lastShown.get(sentence) ?? 0) < REPEAT_EVERY_MS) return;
    lastShown.set(sentence, now);
    writeError(`parley-server: ${sentence}\n`);
  };
}

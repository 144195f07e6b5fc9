// The server's log: pino behind an interface with a fixed list of fields, so that no request and no secret is logged.

import { statSync } from "node:fs";
import { LRUCache } from "lru-cache";
import { type DestinationStream, destination, pino } from "pino";
import { oneLine } from "../command-line/one-line.ts";
import { type Clock, systemClock } from "../time/clock.ts";
import { boundLogFile, type LogFile } from "./logging/log-file.ts";
import { RepeatedLines } from "./logging/repeated-lines.ts";

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
  /** The size, in bytes, at which the file is renamed to FILE.1 and begun anew. Default: 64 MiB. */
  readonly fileBytes?: number | undefined;
  /**
   * Whether standard error is a terminal. If it is and there is no file, only warnings and errors are written, as
   * sentences.
   */
  readonly forPerson: boolean;
  /** Writes to standard error. */
  readonly writeError: (text: string) => void;
  /** For tests. */
  readonly clock?: Clock | undefined;
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
 * Opens the log. Each line is written before the call returns, so that no line is lost when the process ends. Of lines
 * of one kind that come too often, some are counted and not written: see repeated-lines.ts.
 * @throws Error if the file cannot be opened
 */
export function openLog(options: LogOptions): OpenLog {
  const { level, file, fileBytes, forPerson, writeError, clock = systemClock } = options;
  const opened = file === undefined ? undefined : openFile(file, fileBytes);
  const inWords = opened === undefined && forPerson;
  const logger = pino(
    {
      level: inWords && logLevels.indexOf(level) < logLevels.indexOf("warn") ? "warn" : level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: SECRETS,
      serializers: { err: (error: unknown) => describeError(error) },
    },
    sinkTo(opened, inWords ? wordWriter(writeError) : writeError),
  );
  const repeated = new RepeatedLines(clock, (count, kind, lineLevel) =>
    logger[lineLevel]({ event: "lines left out", count }, `${count} more: ${kind}`),
  );
  const write =
    (lineLevel: "debug" | "info" | "warn" | "error"): Write =>
    (fields, message) => {
      if (!logger.isLevelEnabled(lineLevel)) return;
      if (repeated.admit(fields.event ?? message, lineLevel)) logger[lineLevel](fields, message);
    };
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    fatal: (fields, message) => logger.fatal(fields, message),
    reopen: () => opened?.reopen(),
    [Symbol.dispose]: () => {
      repeated[Symbol.dispose]();
      opened?.[Symbol.dispose]();
    },
  };
}

/** @throws Error if the file is a pipe: opening it would wait for its reader, and so would each line */
function openFile(file: string, fullBytes: number | undefined): LogFile {
  if (statSync(file, { throwIfNoEntry: false })?.isFIFO() === true)
    throw new Error(
      `${file} is a pipe, and a log needs a file. To pass the log on, leave out --log and use a shell's pipe.`,
    );
  const stream = destination({ dest: file, append: true, sync: true, mode: 0o600 });
  return boundLogFile(file, stream, fullBytes);
}

function sinkTo(file: LogFile | undefined, writeError: (text: string) => void): DestinationStream {
  return { write: (line) => (file ?? { write: writeError }).write(escapeLine(line)) };
}

/**
 * Escapes the characters of a JSON line that JSON allows as they are, but that a terminal or a viewer may interpret:
 * C1 controls, DEL, bidi controls, and the separators of lines. The line stays the same JSON.
 */
function escapeLine(line: string): string {
  return line.replaceAll(/[\x7f-\x9f\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** A log that writes nothing. */
export function silentLog(): Log {
  const drop = (): void => undefined;
  return { debug: drop, info: drop, warn: drop, error: drop, fatal: drop };
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
    const sentence = oneLine(err === undefined ? msg : `${msg}: ${err.message}`);
    const now = Date.now();
    if (now - (lastShown.get(sentence) ?? 0) < REPEAT_EVERY_MS) return;
    lastShown.set(sentence, now);
    writeError(`parley-server: ${sentence}\n`);
  };
}

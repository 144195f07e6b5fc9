// What the terminal's owner needs from its process: signals, job control, and a last word before the end.

/** Signals that end the process; the terminal is given back first, and whoever awaits `Screen.closed` stops the rest. */
export const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

export type EndingSignal = (typeof ENDING_SIGNALS)[number];

/** A part of `process`, so that tests can play one. */
export interface TerminalHost extends Pick<NodeJS.EventEmitter, "on" | "off"> {
  kill(pid: number, signal: "SIGTSTP"): unknown;
}

const GONE = new Set(["EPIPE", "EIO", "ENXIO", "EBADF", "ECONNRESET", "ERR_STREAM_DESTROYED"]);

/** An error that says that the terminal or pipe at the other end is no longer there: an end, not a failure. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && GONE.has(error.code);
}

// The part of the process that the owner of a terminal uses: signals, job control and the exit event.

/** Signals that end the program. The terminal is given back first; the program ends after `TerminalOwner.closed`. */
export const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

export type EndingSignal = (typeof ENDING_SIGNALS)[number];

/** A part of `process`. Tests pass their own. */
export interface TerminalHost extends Pick<NodeJS.EventEmitter, "on" | "off"> {
  kill(pid: number, signal: "SIGTSTP"): unknown;
}

const GONE = new Set(["EPIPE", "EIO", "ENXIO", "EBADF", "ECONNRESET", "ERR_STREAM_DESTROYED"]);

/** Whether the error means that the terminal or the other end of the pipe went away, which is not a failure. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && GONE.has(error.code);
}

// The streams and signals of the process as commands use them. Tests replace them.
export type TerminationSignal = "SIGTERM" | "SIGINT";

export interface Io {
  readonly stdin: NodeJS.ReadStream;
  /** The stream on which prompts are shown. */
  readonly stderr: NodeJS.WriteStream;
  /** Whether standard input is a terminal, and whether standard error is. */
  readonly isInputTerminal: boolean;
  readonly isErrorTerminal: boolean;
  /** Writes the text to standard output. Control characters other than newlines and tabs become visible. */
  print(text: string): void;
  /** Writes the text to standard error, likewise. */
  complain(text: string): void;
  /** Until the result is disposed of, calls the listeners for signals, which then do not end the process. */
  listen(listeners: SignalListeners): Disposable;
}

export interface SignalListeners {
  /** Called for SIGTERM and SIGINT. The process ends a few seconds later in any case. */
  readonly onStop: (signal: TerminationSignal) => void;
  /**
   * Called for SIGHUP. `isTerminalGone` is true if the terminal was closed, and false if an operator sent the signal.
   */
  readonly onHangUp: (isTerminalGone: boolean) => void;
  /** Called for an uncaught error, which ends the process. The listener can still write a line to the log. */
  readonly onCrash: (error: Error) => void;
}

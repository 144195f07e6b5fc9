// The streams and signals of the process as commands use them. Tests replace them.
export type TerminationSignal = "SIGTERM" | "SIGINT";

export interface Io {
  readonly stdin: NodeJS.ReadStream;
  /** The stream on which prompts are shown. */
  readonly stderr: NodeJS.WriteStream;
  /** Whether standard input, and standard error, is a terminal. */
  readonly isInputTerminal: boolean;
  readonly isErrorTerminal: boolean;
  /** Writes the text unchanged to standard output. */
  print(text: string): void;
  /** Writes the text unchanged to standard error. */
  complain(text: string): void;
  /** Calls the listeners for signals, which then do not end the process, until the result is disposed. */
  listen(listeners: SignalListeners): Disposable;
}

export interface SignalListeners {
  /** SIGTERM or SIGINT. The process ends a few seconds later in any case. */
  readonly onStop: (signal: TerminationSignal) => void;
  /** SIGHUP. `isTerminalGone` is true if the terminal was closed, and false if an operator sent the signal. */
  readonly onHangUp: (isTerminalGone: boolean) => void;
  /** An uncaught error, which ends the process. The listener can still write a line to the log. */
  readonly onCrash: (error: Error) => void;
}

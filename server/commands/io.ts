// What a command has of its process: streams and signals, so that tests can stand in for them.
export type StopSignal = "SIGTERM" | "SIGINT";

export interface Io {
  readonly stdin: NodeJS.ReadStream;
  /** Where questions are asked. */
  readonly stderr: NodeJS.WriteStream;
  /** Whether a person types, reads the output, reads the errors. */
  readonly isInputTerminal: boolean;
  readonly isErrorTerminal: boolean;
  /** Writes to standard output, as it is. */
  print(text: string): void;
  /** Writes to standard error, as it is. */
  complain(text: string): void;
  /** Until disposed, these signals go to the listeners, and do not end the process by themselves. */
  listen(listeners: SignalListeners): Disposable;
}

export interface SignalListeners {
  /** A few seconds later the process ends in any case. */
  readonly onStop: (signal: StopSignal) => void;
  /** SIGHUP. `isTerminalGone` tells a closed terminal from an operator's wish. */
  readonly onHangUp: (isTerminalGone: boolean) => void;
  /** The process is about to die of this; there is time for a line of log. */
  readonly onCrash: (error: Error) => void;
}

// The error of a recording's file.

/** The file is not a recording, or it cannot be read or written. The message says why. */
export class RecordingError extends Error {
  override name = "RecordingError";
}

/** The first field of every recording. It distinguishes a recording from any other file. */
export const format = "parley recording";

// What can be wrong with the file of a recording.

/** The file is no recording, or cannot be used; the message says why. */
export class RecordingError extends Error {
  override name = "RecordingError";
}

/** Always the header's first field: it tells a recording from any other file. */
export const format = "parley recording";

// The bounds of the request messages of a method.

export interface RequestBounds {
  /** The longest message, bytes. */
  readonly bytes: number;
  /**
   * The most fields of one message. Each occurrence of a field counts, also inside of nested messages, and each element
   * of a packed field.
   */
  readonly fields: number;
}

/** What is known about the requests of a method before the first one arrives. */
export interface MethodBounds extends RequestBounds {
  /** Whether the caller may send more than one message. */
  readonly isStream: boolean;
  /** Whether the caller is checked before a request is read, so that only those who passed it are answered with OK. */
  readonly isAdmitting: boolean;
}

/** For a service that names no bounds. */
export const defaultBounds: RequestBounds = { bytes: 256 * 1024, fields: 16 * 1024 };

// The messages between the main thread and the store's two threads. Types only.
import type { StoreProblem } from "../../store.ts";
import type { OperationCall } from "../operations/operations.ts";
import type { Group, GroupResults } from "./group.ts";

export interface WriterOptions {
  readonly file: string;
  readonly maxPages: number | undefined;
}

export interface ReaderOptions {
  readonly file: string;
}

export type Request =
  | { type: "open" }
  /** Sent only to the writer. */
  | { type: "group"; group: Group }
  /** Sent only to the reader. */
  | { type: "read"; id: number; call: OperationCall }
  | { type: "close" };

/** What the writer finds in the data when it opens it. */
export interface DataState {
  readonly serverId: string;
  /** The number of the last commit. */
  readonly number: number;
  /** The position of the newest entry; 0 if there is none. */
  readonly position: number;
}

export type GroupAnswer =
  /** `position`: the position of the newest entry. */
  | { type: "committed"; number: number; position: number; results: GroupResults }
  | { type: "failed"; message: string };

export type ReadAnswer =
  /** `group`: the number of the last commit that the read saw. */
  { ok: true; group: number; value: unknown } | { ok: false; failure: ReadFailure; message: string };

/** `unavailable`: the data cannot be read now. `damaged`: this part of it is damaged. `wrong`: the read itself was wrong. */
export type ReadFailure = "unavailable" | "damaged" | "wrong";

export type ThreadAnswer =
  /** Only the writer sends the state. */
  | { type: "opened"; state: DataState | undefined }
  /** The database cannot be served. The text is for the operator. */
  | { type: "refused"; message: string }
  | GroupAnswer
  | { type: "read"; id: number; answer: ReadAnswer }
  | { type: "problem"; problem: StoreProblem }
  /** Another process changed the data. */
  | { type: "external-change" }
  | { type: "closed" };

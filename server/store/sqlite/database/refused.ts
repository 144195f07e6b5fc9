// The error for data that cannot be served, whose text is for the operator, and the errors of SQLite that it is made from.

/** The file cannot be served: not a database, damaged, another program's, or from another version. */
export class DatabaseRefusedError extends Error {
  override name = "DatabaseRefusedError";
}

/** The content of the file is damaged. */
export class DataDamagedError extends DatabaseRefusedError {
  override name = "DataDamagedError";
}

/** Converts an error to one whose text says what is wrong with the file. */
export function refusal(file: string, error: unknown): Error {
  if (error instanceof DatabaseRefusedError) return error;
  const code = primaryCode(error);
  const reason = error instanceof Error ? error.message : String(error);
  const refused = (what: string) => `${file} ${what} (${reason})`;
  if (code === sqliteNotADatabase)
    return new DataDamagedError(refused("is not a database"), { cause: error });
  if (code === sqliteCorrupt) return new DataDamagedError(refused("is damaged"), { cause: error });
  return new DatabaseRefusedError(refused("cannot be opened"), { cause: error });
}

export const sqliteBusy = 5;
export const sqliteCorrupt = 11;
export const sqliteFull = 13;
export const sqliteNotADatabase = 26;

/** Whether SQLite found that the content of the file is damaged. */
export function isDamage(error: unknown): boolean {
  const code = primaryCode(error);
  return code === sqliteCorrupt || code === sqliteNotADatabase;
}

/** The primary result code of an error that SQLite threw. */
export function primaryCode(error: unknown): number | undefined {
  const code: unknown = error instanceof Error && "errcode" in error ? error.errcode : undefined;
  return typeof code === "number" ? code & 0xff : undefined;
}

// Reads typed values out of SQLite rows: a column of another type is a bug or a damaged file, and says so.
import type { SQLOutputValue } from "node:sqlite";

export type Row = Record<string, SQLOutputValue>;

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw wrongType(column);
  return value;
}

export function textOrNull(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column);
}

/** An integer that is surely small: a time, a count, a row id. */
export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number" && typeof value !== "bigint") throw wrongType(column);
  return Number(value);
}

/** A 64-bit number; the statement has to read big integers. */
export function bigInteger(row: Row, column: string): bigint {
  const value = row[column];
  if (typeof value !== "bigint") throw wrongType(column);
  return value;
}

export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw wrongType(column);
  return value;
}

function wrongType(column: string): Error {
  return new Error(`The state file holds something unexpected in "${column}".`);
}

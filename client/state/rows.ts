// Reads typed values from SQLite rows, and throws if a column has another type.
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

/** An integer below 2^53, such as a time, a count or a row id. */
export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number" && typeof value !== "bigint") throw wrongType(column);
  return Number(value);
}

/** A 64-bit integer; the statement must be set to read bigints. */
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
  return new Error(`The state file has a value of the wrong type in "${column}".`);
}

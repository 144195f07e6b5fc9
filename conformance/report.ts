// Formats the results of a run as a table or as JSON.
import type { Check } from "./checks/check.ts";
import type { Result } from "./run.ts";

const marks = { passed: "passed ", failed: "FAILED ", skipped: "skipped" } as const;

/** A row, followed by the reason if the check did not pass. */
export function rowOf({ name, says, contract, status, why, expected, came }: Result, width: number): string {
  const row = `${marks[status]}  ${name.padEnd(width)}  ${says}`;
  if (status === "skipped") return `${row}\n${indented("because", why)}`;
  if (status === "passed") return row;
  return [row, indented("expected", expected), indented("came", came), indented("contract", contract)].join(
    "\n",
  );
}

export function nameWidth(checks: readonly Check[]): number {
  return Math.max(0, ...checks.map(({ name }) => name.length));
}

export function summaryOf(results: readonly Result[]): string {
  const { passed, failed, skipped } = countsOf(results);
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

export function jsonOf(target: string, results: readonly Result[]): string {
  return JSON.stringify({ target, ...countsOf(results), checks: results }, undefined, 2);
}

export function listOf(checks: readonly Check[]): string {
  const width = nameWidth(checks);
  return checks.map(({ name, says }) => `${name.padEnd(width)}  ${says}`).join("\n");
}

function countsOf(results: readonly Result[]): Record<Result["status"], number> {
  const count = (status: Result["status"]): number => results.filter((one) => one.status === status).length;
  return { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
}

function indented(what: string, text = ""): string {
  return `         ${what.padEnd(9)} ${text}`;
}

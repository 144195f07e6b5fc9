// Describes damage that one of the threads met, for the operator.
import type { OperationCall } from "../operations/operations.ts";
import type { ThreadAnswer } from "./messages.ts";

/** Names the file and the operation with the ids in it. Arguments that may be secret are left out. */
export function damageOf(file: string, { area, name, args }: OperationCall, reason: string): ThreadAnswer {
  const ids = args.filter((argument) => typeof argument === "number").join(", ");
  const message = `${file} is damaged: ${area}.${name}(${ids}) failed (${reason})`;
  return { type: "problem", problem: { kind: "damaged", message } };
}

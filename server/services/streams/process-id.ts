// Checks a process_id, which distinguishes the programs that share a session.
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { limits } from "../../limits.ts";
import { Refusal } from "../../reasons.ts";

/** @throws Refusal INVALID_FIELD */
export function readProcessId(processId: string, field: string): string {
  if (Buffer.byteLength(processId) <= limits.processIdBytes) return processId;
  const facts = { maximum: limits.processIdBytes, unit: "bytes" };
  throw new Refusal(Reason.INVALID_FIELD, {
    field,
    message: `At most ${limits.processIdBytes} bytes.`,
    facts,
  });
}

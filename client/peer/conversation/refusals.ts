// Refusals of a peer as statuses, with the reasons of the peer contract.
import { status } from "@grpc/grpc-js";
import { Reason } from "../../../gen/parley/peer/v1/peer_service.ts";
import { RpcError } from "../../../rpc/status/status.ts";

const names = new Map<number, string>(Object.entries(Reason).map(([name, value]) => [value, name]));

const codes: Partial<Record<Reason, status>> = {
  [Reason.INVALID_FIELD]: status.INVALID_ARGUMENT,
  [Reason.INTERNAL]: status.INTERNAL,
  [Reason.PEER_GONE]: status.UNAVAILABLE,
};

/** An error with a reason of the peer contract. */
export function refusal(reason: Reason, message: string): RpcError {
  const code = codes[reason] ?? status.FAILED_PRECONDITION;
  return new RpcError({ code, reason: names.get(reason) ?? "", message });
}

export function asRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new RpcError({ code: status.INTERNAL, reason: "INTERNAL", message, cause: error });
}

// Adds the details of a refusal to its message.
import { fromBinary, toJsonString } from "@bufbuild/protobuf";
import { Status } from "../../../gen/google/rpc/status.ts";
import { packedStatus, RpcError } from "../../../rpc/status/status.ts";
import { CommandError } from "../process/exit.ts";
import { describeFailure } from "../process/failure.ts";
import { readRegistry } from "../process/schema.ts";

/**
 * The error of the command: the message, and then the details of the refusal as Protobuf-JSON, one per line. Returns an
 * error without a refusal unchanged.
 */
export function withDetails(error: unknown): unknown {
  const refusal = error instanceof CommandError ? error.cause : error;
  if (!(refusal instanceof RpcError)) return error;
  const { exitCode, message } = describeFailure(error);
  return new CommandError(exitCode, [message, ...detailLines(refusal)], { cause: refusal });
}

function detailLines(error: RpcError): string[] {
  const packed = packedStatus(error);
  if (packed === undefined) return [];
  const registry = readRegistry("gen/error-details.binpb");
  try {
    return Status.decode(packed).details.map(({ typeUrl, value }) => {
      const typeName = typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
      const message = registry.getMessage(typeName);
      if (message === undefined) return `  ${typeName}: ${value.length} bytes of an unknown type`;
      return `  ${typeName} ${toJsonString(message, fromBinary(message, value), { registry })}`;
    });
  } catch {
    // A server may send details that are not valid. The message above does not depend on them.
    return ["  Its details cannot be decoded."];
  }
}

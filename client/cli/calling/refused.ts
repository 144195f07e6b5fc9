// A refusal with everything that the server said about it: its status, and each detail as it can be decoded.
import { fromBinary, toJsonString } from "@bufbuild/protobuf";
import { Status } from "../../../gen/google/rpc/status.ts";
import { packedStatus, RpcError } from "../../../rpc/status/status.ts";
import { CommandError } from "../process/exit.ts";
import { describeFailure } from "../process/failure.ts";
import { readRegistry } from "../process/schema.ts";

/**
 * What ends the command: the sentence as elsewhere, then the details, one a line as Protobuf-JSON. An error that has no
 * refusal behind it stays as it is.
 */
export function withDetails(error: unknown): unknown {
  const refusal = error instanceof CommandError ? error.cause : error;
  if (!(refusal instanceof RpcError)) return error;
  const { exitCode, message } = describeFailure(error);
  return new CommandError(exitCode, [message, ...detailLines(refusal)].join("\n"), { cause: refusal });
}

function detailLines(error: RpcError): string[] {
  const packed = packedStatus(error);
  if (packed === undefined) return [];
  const registry = readRegistry("gen/error-details.binpb");
  try {
    return Status.decode(packed).details.map(({ typeUrl, value }) => {
      const typeName = typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
      const message = registry.getMessage(typeName);
      if (message === undefined)
        return `  ${typeName}: ${value.length} bytes that this program does not know`;
      return `  ${typeName} ${toJsonString(message, fromBinary(message, value), { registry })}`;
    });
  } catch {
    // Any server may put anything here; what was said above still stands.
    return ["  Its details cannot be decoded."];
  }
}

// Refuses calls of methods that do not exist, with a reason as in every other refusal.
import { type Server, status } from "@grpc/grpc-js";
import { setFallbackHandler } from "../grpc-js-internals.ts";
import { RpcError } from "../status/status.ts";
import { asBuffer } from "../wire/bytes.ts";
import type { Method } from "./decode.ts";
import { implementService, type Service } from "./handler.ts";

/**
 * The shape of a bidirectional method, which fits methods of every shape: it can be refused before a message arrives.
 */
const anything = {
  path: "",
  requestStream: true,
  responseStream: true,
  requestSerialize: asBuffer,
  requestDeserialize: (bytes: Buffer) => bytes,
  responseSerialize: asBuffer,
  responseDeserialize: (bytes: Buffer) => bytes,
} as const satisfies Method;

/** Makes the server refuse unknown methods as UNSUPPORTED_METHOD. grpc-js itself refuses them without details. */
export function refuseUnknownMethods(server: Server): Service {
  const service = implementService(
    { anything },
    {
      anything: (_frames, _out, { method }) =>
        Promise.reject(
          new RpcError({
            code: status.UNIMPLEMENTED,
            reason: "UNSUPPORTED_METHOD",
            message: `This server has no method ${method}. It may be older than the program that calls it.`,
          }),
        ),
    },
    { onError: () => undefined },
  );
  const { definition, implementation } = service;
  const { responseSerialize: serialize, requestDeserialize: deserialize } = definition.anything ?? anything;
  const func = implementation.anything;
  if (func === undefined) throw new Error("the service has no handler for its one method");
  setFallbackHandler(server, (path) => ({ func, serialize, deserialize, type: "bidi", path }));
  return service;
}

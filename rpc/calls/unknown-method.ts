// A call of a method that does not exist is refused as any other: with a reason.
import {
  type Server,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { RpcError } from "../status/status.ts";
import { asBuffer } from "../wire/bytes.ts";
import type { Method } from "./decode.ts";
import { implementService, type Service } from "./handler.ts";

/** Of any shape: a stream in both directions is answered before it has said anything. */
const anything = {
  path: "",
  requestStream: true,
  responseStream: true,
  requestSerialize: asBuffer,
  requestDeserialize: (bytes: Buffer) => bytes,
  responseSerialize: asBuffer,
  responseDeserialize: (bytes: Buffer) => bytes,
} as const satisfies Method;

/**
 * From now on the server refuses methods that it does not have as UNSUPPORTED_METHOD. grpc-js answers them without details,
 * and asks nobody: so what it finds when it looks for a handler is this one.
 */
export function refuseUnknownMethods(server: Server): Service {
  const service = implementService(
    { anything },
    {
      anything: (_frames, _out, { method }) =>
        Promise.reject(
          new RpcError({
            code: status.UNIMPLEMENTED,
            reason: "UNSUPPORTED_METHOD",
            message: `This server has no method ${method}: it may be older than the program that calls.`,
          }),
        ),
    },
    { onError: () => undefined },
  );
  const handlers = Reflect.get(server, "handlers") as Map<string, unknown>;
  const find = handlers.get.bind(handlers);
  handlers.get = (path) => find(path) ?? handlerOf(service, path);
  return service;
}

/** As grpc-js keeps what addService is given. */
function handlerOf(
  {
    definition,
    implementation,
  }: { definition: ServiceDefinition; implementation: UntypedServiceImplementation },
  path: string,
): object {
  const { responseSerialize: serialize, requestDeserialize: deserialize } = definition.anything ?? anything;
  return { func: implementation.anything, serialize, deserialize, type: "bidi", path };
}

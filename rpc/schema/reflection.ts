// Server reflection, v1 and v1alpha (https://grpc.io/docs/guides/reflection): tools such as grpcurl read the schema
// from the server. It does not use the existing library, which does not limit the answers that queue for a peer that
// does not read.
import { status } from "@grpc/grpc-js";
import {
  type ServerReflectionRequest,
  ServerReflectionResponse,
  ServerReflectionService,
} from "../../gen/grpc/reflection/v1/reflection.ts";
import { ServerReflectionService as AlphaService } from "../../gen/grpc/reflection/v1alpha/reflection.ts";
import { type FrameReader, implementService, type Service, type ServiceOptions } from "../calls/handler.ts";
import type { Outbox } from "../calls/outbox.ts";
import { SchemaIndex } from "./schema-index.ts";

export interface ReflectionOptions extends ServiceOptions {
  /** Encoded FileDescriptorSets, each with all its imports. */
  readonly images: readonly Uint8Array[];
  /** The fully-qualified names of the services that can be called. */
  readonly services: readonly string[];
}

type Request = Pick<ServerReflectionRequest, "host" | "messageRequest">;
type Answer = NonNullable<ServerReflectionResponse["messageResponse"]>;

const KiB = 1024;
/** A request contains one or two names. */
const bounds = { bytes: KiB, fields: 16 };
/** A frame limit of 1 byte makes each response a separate message. */
const outbox = { softBytes: 256 * KiB, hardBytes: 1024 * KiB, maxFrameBytes: 1 };

/** The services of both versions, which differ only in their names. */
export function reflectionServices(options: ReflectionOptions): Service[] {
  const schema = new SchemaIndex(options.images);
  const answerAll = async (frames: FrameReader<Request>, out: Outbox): Promise<void> => {
    for await (const request of frames) {
      const messageResponse = answer(schema, options.services, request);
      const originalRequest = { host: request.host, messageRequest: request.messageRequest };
      const response = { validHost: request.host, originalRequest, messageResponse };
      out.push(ServerReflectionResponse.encode(response).finish());
      // While the peer does not read its responses, no more of its requests are read.
      if (out.aboveSoft) await out.whenBelowSoft();
    }
  };
  const bounded = { ...options, bounds, outbox };
  return [ServerReflectionService, AlphaService].map((definition) =>
    implementService(definition, { serverReflectionInfo: answerAll }, bounded),
  );
}

function answer(
  schema: SchemaIndex,
  services: readonly string[],
  { messageRequest: asked }: Request,
): Answer {
  switch (asked?.$case) {
    case "listServices":
      return {
        $case: "listServicesResponse",
        value: { service: services.map((name) => ({ name })) },
      };
    case "fileByFilename":
      return files(schema.file(asked.value), `There is no file ${asked.value}.`);
    case "fileContainingSymbol":
      return files(schema.fileOf(asked.value), `There is no symbol ${asked.value}.`);
    case "fileContainingExtension":
      return refused(status.NOT_FOUND, "The schema has no extensions.");
    case "allExtensionNumbersOfType":
      if (!schema.hasMessage(asked.value)) {
        return refused(status.NOT_FOUND, `There is no message ${asked.value}.`);
      }
      return {
        $case: "allExtensionNumbersResponse",
        value: { baseTypeName: asked.value, extensionNumber: [] },
      };
    case undefined:
      return refused(status.INVALID_ARGUMENT, "This server does not know what the request asks for.");
  }
}

function files(found: readonly Uint8Array[] | undefined, missing: string): Answer {
  if (found === undefined) return refused(status.NOT_FOUND, missing);
  return {
    $case: "fileDescriptorResponse",
    value: { fileDescriptorProto: found.map((file) => Buffer.from(file)) },
  };
}

function refused(errorCode: status, errorMessage: string): Answer {
  return { $case: "errorResponse", value: { errorCode, errorMessage } };
}

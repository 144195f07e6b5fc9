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
import { type Clock, systemClock } from "../../time/clock.ts";
import { type FrameReader, implementService, type Service, type ServiceOptions } from "../calls/handler.ts";
import type { Outbox } from "../calls/outbox.ts";
import { asBuffer } from "../wire/bytes.ts";
import { LongCalls } from "./long-calls.ts";
import { Pace } from "./pace.ts";
import { SchemaIndex } from "./schema-index.ts";

export interface ReflectionOptions extends ServiceOptions {
  /** Encoded FileDescriptorSets, each with all its imports. */
  readonly images: readonly Uint8Array[];
  /** The fully-qualified names of the services that can be called. */
  readonly services: readonly string[];
  /** The clock for the rate of the answers. */
  readonly clock?: Clock;
}

type Request = Pick<ServerReflectionRequest, "host" | "messageRequest">;
type Answer = NonNullable<ServerReflectionResponse["messageResponse"]>;

const KiB = 1024;
/** A request contains one or two names. */
const bounds = { bytes: KiB, fields: 16 };
/**
 * The bytes of all answers together, a second, after a burst. A tool that reads the whole schema gets 150 KiB. More waits
 * its turn.
 */
const RATE = { bytesPerSecond: 1024 * KiB, burstBytes: 4 * 1024 * KiB };
/** What an answer counts as in addition to its bytes. */
const ANSWER_BYTES = 1 * KiB;
/** A frame limit of 1 byte makes each response a separate message. */
const outbox = { softBytes: 256 * KiB, hardBytes: 1024 * KiB, maxFrameBytes: 1 };

/** The services of both versions, which differ only in their names. */
export function reflectionServices(options: ReflectionOptions): Service[] {
  const { clock = systemClock } = options;
  const schema = new SchemaIndex(options.images);
  const pace = new Pace(RATE.bytesPerSecond, RATE.burstBytes, clock);
  const calls = new LongCalls();
  const answerAll = async (frames: FrameReader<Request>, out: Outbox): Promise<void> => {
    const sent = new Set<Uint8Array>();
    using call = calls.enter();
    for (;;) {
      const request = await frames.next(call.signal);
      if (request === undefined) return;
      const messageResponse = answer(schema, options.services, request, sent);
      const originalRequest = { host: request.host, messageRequest: request.messageRequest };
      const response = { validHost: request.host, originalRequest, messageResponse };
      const encoded = ServerReflectionResponse.encode(response).finish();
      await passed(pace.take(encoded.length + ANSWER_BYTES), clock, out, call.signal);
      call.signal.throwIfAborted();
      out.push(encoded);
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
  sent: Set<Uint8Array>,
): Answer {
  switch (asked?.$case) {
    case "listServices":
      return {
        $case: "listServicesResponse",
        value: { service: services.map((name) => ({ name })) },
      };
    case "fileByFilename":
      return files(schema.file(asked.value), sent, `There is no file ${asked.value}.`);
    case "fileContainingSymbol":
      return files(schema.fileOf(asked.value), sent, `There is no symbol ${asked.value}.`);
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

/**
 * The file that was asked for, and those of its imports that were not sent on this stream before, as the protocol allows.
 * Otherwise a small request would bring the same imports again and again.
 */
function files(found: readonly Uint8Array[] | undefined, sent: Set<Uint8Array>, missing: string): Answer {
  if (found === undefined) return refused(status.NOT_FOUND, missing);
  const [asked] = found;
  const fresh = found.filter((file) => file === asked || !sent.has(file));
  for (const file of fresh) sent.add(file);
  return { $case: "fileDescriptorResponse", value: { fileDescriptorProto: fresh.map(asBuffer) } };
}

/** Waits, but not for a stream that has ended or has to end. */
async function passed(ms: number, clock: Clock, out: Outbox, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  using _timer = clock.after(Math.ceil(ms), resolve);
  out.onClosed(resolve);
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (signal.aborted) return;
  await promise;
}

function refused(errorCode: status, errorMessage: string): Answer {
  return { $case: "errorResponse", value: { errorCode, errorMessage } };
}

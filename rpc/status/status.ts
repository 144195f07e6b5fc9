// Converts errors with a reason to gRPC statuses with google.rpc details, and back.
import { Metadata, type StatusObject, status } from "@grpc/grpc-js";
import type { Any } from "../../gen/google/protobuf/any.ts";
import { BadRequest, ErrorInfo, RetryInfo } from "../../gen/google/rpc/error_details.ts";
import { Status } from "../../gen/google/rpc/status.ts";
import { asBuffer } from "../wire/bytes.ts";

/** The domain of the reasons of this project: a name of Protobuf, which no other project has. */
export const DOMAIN = "parley.chat.v1";

const DETAILS_KEY = "grpc-status-details-bin";
const TYPE_PREFIX = "type.googleapis.com/";
/**
 * The longest message that is sent, UTF-16 units. Statuses are sent in headers, which peers limit (many to 8 KiB in
 * all).
 */
const MESSAGE_LENGTH = 1000;
/** The longest packed details that are sent, bytes. If they would be longer, metadata and field are left out. */
const DETAILS_BYTES = 4096;

export interface RpcErrorOptions {
  readonly code: status;
  /** A name such as "USER_NOT_FOUND"; "" if there is none. */
  readonly reason: string;
  /** A sentence for a person. */
  readonly message: string;
  /** The invalid field, as a path in the request. */
  readonly field?: string;
  /** How long to wait before trying again, ms, not negative. */
  readonly retryDelayMs?: number;
  /** More invalid fields, with their reasons, after `field`. */
  readonly moreFields?: readonly InvalidField[];
  /** More about this occurrence, for programs. */
  readonly metadata?: Record<string, string>;
  readonly domain?: string;
  readonly cause?: unknown;
}

/** A field of a request that was refused. */
export interface InvalidField {
  /** The path in the request, such as "markers[3]". */
  readonly field: string;
  /** A name from the catalogue of reasons. */
  readonly reason: string;
}

/** A status that is not OK. A handler throws it to end its call, and the client catches it. */
export class RpcError extends Error {
  override name = "RpcError";
  /** The status code of gRPC, a number: https://grpc.io/docs/guides/status-codes */
  readonly code: status;
  /**
   * A name from the catalogue of reasons, such as "USER_NOT_FOUND"; "" in errors that gRPC itself reports, such as a
   * lost connection.
   */
  readonly reason: string;
  /** The domain that defines the reason; "" if there is none. */
  readonly domain: string;
  /** The invalid field, as a path in the request, such as "target.username". */
  readonly field?: string;
  /** All invalid fields, with their reasons; the first one is `field`. */
  readonly fields: readonly InvalidField[];
  /** How long to wait before the same request can succeed, ms; undefined if waiting does not help. */
  readonly retryDelayMs?: number;
  /** More about this occurrence, for programs. */
  readonly metadata: Record<string, string>;

  /** @internal */
  constructor(options: RpcErrorOptions) {
    super(options.message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = options.code;
    this.reason = options.reason;
    this.domain = options.domain ?? (options.reason === "" ? "" : DOMAIN);
    if (options.field !== undefined) this.field = options.field;
    const { field, reason, moreFields = [] } = options;
    this.fields = [...(field === undefined ? [] : [{ field, reason }]), ...moreFields];
    if (options.retryDelayMs !== undefined) this.retryDelayMs = options.retryDelayMs;
    this.metadata = options.metadata ?? {};
  }
}

/** Makes an error without a stack, which takes most of its time: for refusals, whose stacks are never read. */
export function withoutStack<E>(make: () => E): E {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Converts an error to the status that is sent. */
export function toStatus(error: RpcError): Pick<StatusObject, "code" | "details" | "metadata"> {
  // grpc-js calls encodeURI with the text. On a lone surrogate, that throws where nothing can catch it.
  const message = error.message.slice(0, MESSAGE_LENGTH).toWellFormed();
  const metadata = new Metadata();
  if (error.reason !== "") {
    let packed = packDetails(error, message, error.metadata, error.fields);
    for (let count = error.fields.length; packed.length > DETAILS_BYTES && count > 1; ) {
      count = Math.floor(count / 2);
      packed = packDetails(error, message, error.metadata, error.fields.slice(0, count));
    }
    if (packed.length > DETAILS_BYTES) packed = packDetails(error, message, {}, []);
    metadata.set(DETAILS_KEY, packed);
    // The gRPC protocol requires this header in the refusal of an unknown compression.
    if (error.reason === "COMPRESSION_UNSUPPORTED") metadata.set("grpc-accept-encoding", "identity");
  }
  return { code: error.code, details: message, metadata };
}

/**
 * Converts an error that grpc-js threw to an RpcError. Any other error becomes UNKNOWN, with the original as its cause.
 */
export function fromServiceError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (!isServiceError(error)) {
    const message = error instanceof Error ? error.message : String(error);
    return new RpcError({ code: status.UNKNOWN, reason: "", message, cause: error });
  }
  const read = readDetails(error.metadata);
  return new RpcError({
    reason: "",
    domain: "",
    ...read,
    code: error.code,
    message: error.details || error.message,
    cause: error,
  });
}

/** The encoded google.rpc.Status that was received with the error; undefined if there was none. */
export function packedStatus({ cause }: RpcError): Uint8Array | undefined {
  const packed = isServiceError(cause) ? cause.metadata?.get(DETAILS_KEY)[0] : undefined;
  return packed instanceof Uint8Array ? packed : undefined;
}

function packDetails(
  error: RpcError,
  message: string,
  metadata: Record<string, string>,
  fields: readonly InvalidField[],
): Buffer {
  const info = { reason: error.reason, domain: error.domain, metadata };
  const details = [pack("google.rpc.ErrorInfo", ErrorInfo.encode(info).finish())];
  if (error.retryDelayMs !== undefined) {
    const delay = Math.max(0, Math.round(error.retryDelayMs));
    const retryDelay = { seconds: BigInt(Math.floor(delay / 1000)), nanos: (delay % 1000) * 1_000_000 };
    details.push(pack("google.rpc.RetryInfo", RetryInfo.encode({ retryDelay }).finish()));
  }
  if (fields.length > 0) {
    const fieldViolations = fields.map(({ field, reason }, index) => {
      // Only the first sentence is sent, so that more fields fit.
      return { field, description: index === 0 ? message : "", reason, localizedMessage: undefined };
    });
    details.push(pack("google.rpc.BadRequest", BadRequest.encode({ fieldViolations }).finish()));
  }
  return Buffer.from(Status.encode({ code: error.code, message, details }).finish());
}

function pack(name: string, value: Uint8Array): Any {
  return { typeUrl: TYPE_PREFIX + name, value: asBuffer(value) };
}

type Details = Partial<
  Pick<RpcErrorOptions, "reason" | "domain" | "metadata" | "retryDelayMs" | "field" | "moreFields">
>;

function readDetails(metadata: Metadata | undefined): Details {
  const packed = metadata?.get(DETAILS_KEY)[0];
  if (!(packed instanceof Uint8Array)) return {};
  try {
    return Object.assign({}, ...Status.decode(packed).details.map(readDetail));
  } catch {
    // A server can send any bytes as details, but its code and message are still valid.
    return {};
  }
}

function readDetail(detail: Any): Details {
  switch (detail.typeUrl.slice(detail.typeUrl.lastIndexOf("/") + 1)) {
    case "google.rpc.ErrorInfo": {
      const { reason, domain, metadata } = ErrorInfo.decode(detail.value);
      return { reason, domain, metadata };
    }
    case "google.rpc.RetryInfo": {
      const delay = RetryInfo.decode(detail.value).retryDelay;
      if (delay === undefined) return {};
      return { retryDelayMs: Math.max(0, Number(delay.seconds) * 1000 + delay.nanos / 1_000_000) };
    }
    case "google.rpc.BadRequest": {
      const [first, ...more] = BadRequest.decode(detail.value).fieldViolations;
      if (first === undefined) return {};
      return { field: first.field, moreFields: more.map(({ field, reason }) => ({ field, reason })) };
    }
    default:
      return {};
  }
}

function isServiceError(
  error: unknown,
): error is Error & { code: status; details: string; metadata?: Metadata } {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "details" in error;
}

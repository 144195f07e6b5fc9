// Decodes messages from the wire strictly, and lets methods send messages that are already encoded.
import { status } from "@grpc/grpc-js";
import { RpcError } from "../status/status.ts";
import { asBuffer } from "../wire/bytes.ts";
import { StrictReader, TooManyFieldsError } from "../wire/strict-reader.ts";

export { asBuffer } from "../wire/bytes.ts";
export { lengthDelimited, rawField, repeatedField } from "../wire/raw-fields.ts";

/** Takes the place of a message that could not be decoded. Handlers receive an error in its place. */
export class Undecodable {
  readonly cause: unknown;

  /** @param cause an RpcError, or the reason why the bytes are not the expected message */
  constructor(cause: unknown) {
    this.cause = cause;
  }

  toRpcError(): RpcError {
    if (this.cause instanceof RpcError) return this.cause;
    const why = this.cause instanceof Error ? this.cause.message : "unknown failure";
    return new RpcError({
      code: status.INVALID_ARGUMENT,
      reason: "UNDECODABLE",
      message: `The bytes are not the expected message: ${why}.`,
      cause: this.cause,
    });
  }
}

/** One method of a generated grpc-js service definition, with messages of any type. */
export interface Method {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (value: never) => Buffer;
  /** @param fields the most fields of the message, which only a strict method bounds */
  readonly requestDeserialize: (bytes: Buffer, fields?: number) => unknown;
  readonly responseSerialize: (value: never) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => unknown;
}

/** A generated grpc-js service definition. */
export type Definition = Readonly<Record<string, Method>>;

const STRICT = Symbol("strict");

/**
 * The same service with deserializers that refuse malformed messages (broken UTF-8, lengths that overrun, field number
 * 0 …). Instead of throwing, which grpc-js would answer with INTERNAL and no details, they return an Undecodable, which
 * their type does not mention. A method that is already strict is not changed.
 */
export function strictDefinition<D extends Definition>(definition: D): D {
  return mapMethods(definition, (method) => {
    if (STRICT in method) return method;
    return {
      ...method,
      requestDeserialize: strictly(method.requestDeserialize),
      responseDeserialize: strictly(method.responseDeserialize),
      [STRICT]: true,
    };
  }) as D;
}

function strictly(deserialize: (bytes: Buffer) => unknown): (bytes: Buffer, fields?: number) => unknown {
  // The generated deserializers pass their argument to a `decode`, which also takes a reader.
  const decode = deserialize as unknown as (reader: StrictReader) => unknown;
  return (bytes, fields) => {
    try {
      return decode(new StrictReader(bytes, fields));
    } catch (cause) {
      return new Undecodable(cause instanceof TooManyFieldsError ? tooLarge(cause) : cause);
    }
  };
}

function tooLarge(cause: TooManyFieldsError): RpcError {
  const { message } = cause;
  return new RpcError({ code: status.INVALID_ARGUMENT, reason: "REQUEST_TOO_LARGE", message, cause });
}

type Ready<M extends Method> = Omit<M, "requestSerialize" | "responseSerialize"> & {
  readonly requestSerialize: (value: Parameters<M["requestSerialize"]>[0] | Uint8Array) => Buffer;
  readonly responseSerialize: (value: Parameters<M["responseSerialize"]>[0] | Uint8Array) => Buffer;
};

/** A definition whose named methods can also send messages that are already encoded. */
export type PassingThrough<D extends Definition, Name extends keyof D> = {
  readonly [M in keyof D]: M extends Name ? Ready<D[M]> : D[M];
};

/** The same service; the named methods also take requests and responses as encoded bytes, which are not copied. */
export function passThrough<D extends Definition, Name extends keyof D & string>(
  definition: D,
  names: readonly Name[],
): PassingThrough<D, Name> {
  const chosen: readonly string[] = names;
  return mapMethods(definition, (method, name) =>
    chosen.includes(name)
      ? {
          ...method,
          requestSerialize: orReady(method.requestSerialize),
          responseSerialize: orReady(method.responseSerialize),
        }
      : method,
  ) as PassingThrough<D, Name>;
}

function orReady(serialize: (value: never) => Buffer): (value: Uint8Array) => Buffer {
  return (value) => (value instanceof Uint8Array ? asBuffer(value) : serialize(value));
}

function mapMethods(definition: Definition, map: (method: Method, name: string) => Method): Definition {
  return Object.fromEntries(Object.entries(definition).map(([name, method]) => [name, map(method, name)]));
}

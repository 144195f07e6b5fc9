// One fault of a server, and the checks that must detect it, with their failures.
import { Metadata, type ServiceError, type StatusObject } from "@grpc/grpc-js";
import type { Event } from "../../../gen/parley/chat/v1/event.ts";
import { RpcError, toStatus } from "../../../rpc/status/status.ts";
import type { ProxiedStream, Tampering, UnaryCall } from "../tampering-proxy.ts";

/** A generated message. */
interface Codec<Message> {
  encode(message: Message): { finish(): Uint8Array };
  decode(bytes: Uint8Array): Message;
}

export interface Fault {
  readonly what: string;
  /** Called for each run, because a tampering can have state. */
  readonly tampering: (isRestarted: () => boolean) => Tampering;
  /** By check name, a pattern that its failure matches. */
  readonly detectedBy: Readonly<Record<string, RegExp>>;
  /** How long an event or an answer may take to arrive, ms. */
  readonly patienceMs?: number;
}

/** Answers some calls, by name; forwards the others. */
export function answering(
  answers: Readonly<Record<string, (call: UnaryCall) => Promise<Uint8Array>>>,
): NonNullable<Tampering["unary"]> {
  return (call) => (answers[call.name] ?? ((one: UnaryCall) => one.forward()))(call);
}

/** Changes the answer of the real server. */
export function changed<Response>(type: Codec<Response>, change: (response: Response) => Response) {
  return async (call: UnaryCall): Promise<Uint8Array> =>
    type.encode(change(type.decode(await call.forward()))).finish();
}

/** Changes the request. */
export function asked<Request>(type: Codec<Request>, change: (request: Request) => Request) {
  return (call: UnaryCall): Promise<Uint8Array> =>
    call.forward(type.encode(change(type.decode(call.request))).finish());
}

/** An empty answer, without the server. */
export function nothing(): Promise<Uint8Array> {
  return Promise.resolve(new Uint8Array());
}

/** Answers with an empty message in place of an error with one of these reasons. */
export function forgiving(...reasons: readonly string[]) {
  return async (call: UnaryCall): Promise<Uint8Array> => {
    try {
      return await call.forward();
    } catch (error) {
      if (!reasons.some((reason) => hasReason(error, reason))) throw error;
      return new Uint8Array();
    }
  };
}

export function hasReason(error: unknown, reason: string): boolean {
  const [details] = (error as Partial<StatusObject>).metadata?.get("grpc-status-details-bin") ?? [];
  return details?.toString("latin1").includes(reason) === true;
}

/** Drops the events of these kinds. */
export function without(...kinds: readonly string[]): NonNullable<Tampering["down"]> {
  return () => (event) => (kinds.includes(event.kind?.$case ?? "") ? [] : [event]);
}

/** Delays the chosen events: until after the next event, or for that time. */
export function late(isLate: (event: Event) => boolean, ms = 300): NonNullable<Tampering["down"]> {
  return (stream: ProxiedStream) => {
    const held: Event[] = [];
    return (event) => {
      if (!isLate(event)) return [event, ...held.splice(0)];
      held.push(event);
      setTimeout(() => stream.send(...held.splice(0)), ms);
      return [];
    };
  };
}

/** An error like those of the real server. */
export function refusal(options: ConstructorParameters<typeof RpcError>[0]): ServiceError {
  return Object.assign(new Error(options.message), toStatus(new RpcError(options)));
}

/** The error without its details. */
export function withoutDetails(error: unknown): ServiceError {
  return Object.assign(error as ServiceError, { metadata: new Metadata() });
}

// One way in which a server can be wrong, and the checks that have to notice it, with what they say.
import { Metadata, type ServiceError, type StatusObject } from "@grpc/grpc-js";
import type { Event } from "../../../gen/parley/chat/v1/event.ts";
import { RpcError, toStatus } from "../../../rpc/status/status.ts";
import type { ProxiedStream, Tampering, UnaryCall } from "../tampering-proxy.ts";

/** A generated message. */
interface Codec<Message> {
  encode(message: Message): { finish(): Uint8Array };
  decode(bytes: Uint8Array): Message;
}

export interface Break {
  readonly what: string;
  /** Made anew for each run: it may remember things. */
  readonly tampering: (isRestarted: () => boolean) => Tampering;
  /** By check: a part of what its failure says, expectation or answer. */
  readonly noticedBy: Readonly<Record<string, RegExp>>;
  /** How long what the server has to tell may take to come, ms. */
  readonly patienceMs?: number;
}

/** Answers some calls, by name; the others go through. */
export function answering(
  answers: Readonly<Record<string, (call: UnaryCall) => Promise<Uint8Array>>>,
): NonNullable<Tampering["unary"]> {
  return (call) => (answers[call.name] ?? ((one: UnaryCall) => one.forward()))(call);
}

/** The real answer, changed. */
export function changed<Response>(type: Codec<Response>, change: (response: Response) => Response) {
  return async (call: UnaryCall): Promise<Uint8Array> =>
    type.encode(change(type.decode(await call.forward()))).finish();
}

/** The request, changed on its way. */
export function asked<Request>(type: Codec<Request>, change: (request: Request) => Request) {
  return (call: UnaryCall): Promise<Uint8Array> =>
    call.forward(type.encode(change(type.decode(call.request))).finish());
}

/** Answered without the server. */
export function nothing(): Promise<Uint8Array> {
  return Promise.resolve(new Uint8Array());
}

/** An error of the real server, if it has this reason, is an empty answer. */
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

/** Each event as it is, but for those of one kind. */
export function without(...kinds: readonly string[]): NonNullable<Tampering["down"]> {
  return () => (event) => (kinds.includes(event.kind?.$case ?? "") ? [] : [event]);
}

/** Events that are chosen come late: after the next one, or after a while. */
export function late(isLate: (event: Event) => boolean, ms = 300): NonNullable<Tampering["down"]> {
  return (stream: ProxiedStream) => {
    const held: Event[] = [];
    return (event) => {
      if (!isLate(event)) return [event, ...held.splice(0)];
      held.push(event);
      setTimeout(() => stream.tell(...held.splice(0)), ms);
      return [];
    };
  };
}

/** An error as the real server would send it. */
export function refusal(options: ConstructorParameters<typeof RpcError>[0]): ServiceError {
  return Object.assign(new Error(options.message), toStatus(new RpcError(options)));
}

/** An error without what a program could read. */
export function withoutDetails(error: unknown): ServiceError {
  return Object.assign(error as ServiceError, { metadata: new Metadata() });
}

// The format of a golden transcript: the frames of a stream, and the outcome that a client must reach with them.

import { ConnectResponse } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Event } from "../../gen/parley/chat/v1/event.ts";
import { Event as EventMessage } from "../../gen/parley/chat/v1/event.ts";
import { lengthDelimited } from "../../rpc/wire/raw-fields.ts";

/** The state of a client after the whole transcript. 64-bit numbers are strings, as in JSON. */
export interface Outcome {
  /** The lines that it shows, in order. */
  readonly lines: readonly string[];
  /** The cursors of its next Hello, by conversation. */
  readonly cursors: Readonly<Record<string, string>>;
  readonly acks: readonly {
    readonly clientMessageId: string;
    readonly conversationId: string;
    readonly seq: string;
    readonly repeatedSend: boolean;
    readonly withheld: boolean;
  }[];
  /** A reason without its prefix, or the number of an unknown reason. */
  readonly refusals: readonly { readonly clientMessageId: string; readonly reason: string }[];
  readonly gaps: readonly {
    readonly conversationId: string;
    readonly fromSeq: string;
    readonly toSeq: string;
    readonly fillable: boolean;
  }[];
  readonly omitted: readonly {
    readonly conversationId: string;
    readonly fromSeq: string;
    readonly toSeq: string;
  }[];
}

export interface Transcript {
  readonly name: string;
  /** Encoded messages, in order. */
  readonly frames: readonly Uint8Array[];
  /** Undefined for commands, which are only encoded and decoded. */
  readonly outcome: Outcome | undefined;
}

/** The message type of a transcript's frames. */
export function messageOf({ outcome }: Transcript): "ConnectRequest" | "ConnectResponse" {
  return outcome === undefined ? "ConnectRequest" : "ConnectResponse";
}

/** Encodes a frame of events. A Uint8Array is an encoded event, with parts that this version does not know. */
export function frame(...events: (Event["kind"] | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    events.map((event) =>
      event instanceof Uint8Array
        ? lengthDelimited(1, event)
        : ConnectResponse.encode({ events: [{ kind: event }] }).finish(),
    ),
  );
}

/** Encodes an event, followed by further bytes. */
export function piece(kind: Event["kind"], ...behind: Uint8Array[]): Uint8Array {
  return Buffer.concat([EventMessage.encode({ kind }).finish(), ...behind]);
}

// What a golden transcript is: frames as a stream would carry them, and what a client has to make of them.

import { ConnectResponse } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Event } from "../../gen/parley/chat/v1/event.ts";
import { Event as EventMessage } from "../../gen/parley/chat/v1/event.ts";
import { lengthDelimited } from "../../rpc/wire/raw-fields.ts";

/** What a client shows and keeps, once it has read a transcript to its end. 64-bit numbers are strings, as in JSON. */
export interface Outcome {
  /** What it shows, in order. */
  readonly lines: readonly string[];
  /** By conversation, how far it has come: the cursors of its next Hello. */
  readonly cursors: Readonly<Record<string, string>>;
  readonly acks: readonly {
    readonly clientMessageId: string;
    readonly conversationId: string;
    readonly seq: string;
    readonly repeatedSend: boolean;
    readonly withheld: boolean;
  }[];
  /** A reason without its prefix, or the number of one that is not known. */
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
  /** Of events; commands are there to be encoded and decoded only. */
  readonly outcome: Outcome | undefined;
}

/** Canonical messages of a transcript's frames. */
export function messageOf({ outcome }: Transcript): "ConnectRequest" | "ConnectResponse" {
  return outcome === undefined ? "ConnectRequest" : "ConnectResponse";
}

/** A frame of events; a piece is an event that is encoded already, with something in it that this version does not know. */
export function frame(...events: (Event["kind"] | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    events.map((event) =>
      event instanceof Uint8Array
        ? lengthDelimited(1, event)
        : ConnectResponse.encode({ events: [{ kind: event }] }).finish(),
    ),
  );
}

/** An event with bytes behind its fields. */
export function piece(kind: Event["kind"], ...behind: Uint8Array[]): Uint8Array {
  return Buffer.concat([EventMessage.encode({ kind }).finish(), ...behind]);
}

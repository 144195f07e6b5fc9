// The rules of markers: they only rise, stay at or below the head, and are told where they may be.
import type { Marker } from "../../gen/parley/chat/v1/conversation.ts";
import { Feature } from "../../gen/parley/chat/v1/event.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import type { Bus, Topic } from "../bus/bus.ts";
import { formatId, parseId } from "../ids.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type {
  LogStore,
  MarkersResult,
  Markers as MarkerValues,
  NewMarkers,
  UserRow,
} from "../store/store.ts";
import { encodeEvent } from "./encoding.ts";
import { toUser } from "./users.ts";

/** A refused marker, with the conversation that it named. */
export interface RefusedMarker {
  readonly conversationId: string;
  readonly refusal: Refusal;
}

export class Markers {
  readonly #log: LogStore;
  readonly #bus: Bus;

  constructor(log: LogStore, bus: Bus) {
    this.#log = log;
    this.#bus = bus;
  }

  /**
   * Raises the user's markers and tells whoever may know. Resolves when they are stored.
   * @returns the refused ones; the others are stored
   * @throws Refusal INVALID_FIELD if there are none, too many, or two for one conversation
   */
  async raise(user: UserRow, markers: readonly Marker[]): Promise<RefusedMarker[]> {
    if (markers.length === 0 || markers.length > limits.markersPerRequest) {
      throw new Refusal(Reason.INVALID_FIELD, {
        field: "markers",
        message: `Give 1 to ${limits.markersPerRequest} markers.`,
      });
    }
    if (new Set(markers.map((marker) => marker.conversationId)).size < markers.length) {
      throw new Refusal(Reason.INVALID_FIELD, { field: "markers", message: "Name each conversation once." });
    }
    const refused: RefusedMarker[] = [];
    const wanted: NewMarkers[] = [];
    const fields: string[] = [];
    for (const [index, marker] of markers.entries()) {
      const conversationId = parseId("conversation", marker.conversationId);
      const field = `markers[${index}]`;
      if (conversationId === undefined) refused.push(notFound(marker.conversationId, field));
      else {
        wanted.push({
          conversationId,
          deliveredSeq: toSeq(marker.deliveredSeq),
          readSeq: toSeq(marker.readSeq),
        });
        fields.push(field);
      }
    }
    const results = wanted.length === 0 ? [] : await this.#log.raiseMarkers(user.userId, wanted);
    for (const [index, result] of results.entries()) {
      const problem = this.#settle(user, result, fields[index] ?? "markers");
      if (problem !== undefined) refused.push(problem);
    }
    return refused;
  }

  #settle(user: UserRow, result: MarkersResult, field: string): RefusedMarker | undefined {
    const conversationId = formatId("conversation", result.conversationId);
    switch (result.status) {
      case "no-conversation":
        return notFound(conversationId, field);
      case "beyond-head":
        return { conversationId, refusal: new Refusal(Reason.MARKER_BEYOND_HEAD, { field }) };
      case "ok":
        if (result.rose) this.#tell(user, result.conversationId, result.markers, result.peerId);
        return undefined;
    }
  }

  /** A user's own devices always know; another user only in a direct conversation, where there is a peer. */
  #tell(user: UserRow, conversationId: number, markers: MarkerValues, peerId: number | undefined): void {
    const piece = encodeMarkersMoved(conversationId, user, markers);
    const topics: Topic[] = [`user:${user.userId}`];
    if (peerId !== undefined) topics.push(`user:${peerId}`);
    const key = `${conversationId}:${user.userId}`;
    for (const topic of topics) {
      this.#bus.publish(topic, { kind: "passing", feature: Feature.MARKERS, key, piece });
    }
  }
}

export function encodeMarkersMoved(conversationId: number, user: UserRow, markers: MarkerValues): Uint8Array {
  return encodeEvent({
    kind: {
      $case: "markersMoved",
      value: {
        conversationId: formatId("conversation", conversationId),
        user: toUser(user),
        deliveredSeq: BigInt(markers.deliveredSeq),
        readSeq: BigInt(markers.readSeq),
      },
    },
  });
}

function notFound(conversationId: string, field: string): RefusedMarker {
  const refusal = new Refusal(Reason.CONVERSATION_NOT_FOUND, { field: `${field}.conversation_id` });
  return { conversationId, refusal };
}

/** A wire seq as a number; what does not fit is beyond any head, and stays so. */
export function toSeq(seq: bigint): number {
  return seq > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(seq);
}

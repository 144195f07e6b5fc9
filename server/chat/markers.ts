// The rules of markers: a marker only rises, is never above the head, and is published to the users who may see it.
import type { Marker, SeqRange as WireSeqRange } from "../../gen/parley/chat/v1/conversation.ts";
import { Feature } from "../../gen/parley/chat/v1/event.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import type { Clock } from "../../time/clock.ts";
import { toUser } from "../auth/user-messages.ts";
import type { NodeBus } from "../bus/node-bus.ts";
import { formatId, parseId } from "../ids.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type {
  LogStore,
  MarkersResult,
  NewMarkers,
  SeqRange,
  StoredMarkers,
  UnblockedConversation,
  UserRow,
} from "../store/store.ts";
import { encodeEvent } from "./encoding.ts";

type RaisedMarkers = Extract<MarkersResult, { status: "ok" }>;

/** A marker that was refused, and the conversation that it named. */
export interface RefusedMarker {
  readonly conversationId: string;
  readonly refusal: Refusal;
}

export class Markers {
  readonly #log: LogStore;
  readonly #bus: NodeBus;
  readonly #clock: Clock;

  constructor(log: LogStore, bus: NodeBus, clock: Clock) {
    this.#log = log;
    this.#bus = bus;
    this.#clock = clock;
  }

  /**
   * Raises the user's markers, and publishes those that changed. Resolves when they are stored.
   * @returns the markers that were refused; all others are stored
   * @throws Refusal INVALID_FIELD if there are none, too many, or two for one conversation
   */
  async raise(user: UserRow, markers: readonly Marker[]): Promise<RefusedMarker[]> {
    if (markers.length === 0 || markers.length > limits.markersPerRequest) {
      throw new Refusal(Reason.INVALID_FIELD, {
        field: "markers",
        message: `Give 1 to ${limits.markersPerRequest} markers.`,
        facts: { minimum: 1, maximum: limits.markersPerRequest, unit: "items", actual: markers.length },
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
    const results =
      wanted.length === 0 ? [] : await this.#log.raiseMarkers(user.userId, wanted, this.#clock.now());
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
        return {
          conversationId,
          refusal: new Refusal(Reason.MARKER_BEYOND_HEAD, { field, facts: { head_seq: result.headSeq } }),
        };
      case "ok":
        if (result.rose) this.#publishRaised(user, result);
        return undefined;
    }
  }

  /** Publishes the markers to the user's own devices, and to the peer if the peer may see them. */
  #publishRaised(user: UserRow, { conversationId, markers, peerId, undelivered }: RaisedMarkers): void {
    this.#publish(user.userId, conversationId, user, markers, []);
    if (peerId !== undefined) this.#publish(peerId, conversationId, user, markers, undelivered);
  }

  /** Publishes the markers of both users to each other after a block has ended. */
  publishAgain(blocker: UserRow, blocked: UserRow, now: UnblockedConversation): void {
    const { conversationId, blockerMarkers, blockedMarkers } = now;
    this.#publish(blocked.userId, conversationId, blocker, blockerMarkers, now.hiddenFromBlocker);
    this.#publish(blocker.userId, conversationId, blocked, blockedMarkers, now.hiddenFromBlocked);
  }

  #publish(
    readerId: number,
    conversationId: number,
    user: UserRow,
    markers: StoredMarkers,
    undelivered: readonly SeqRange[],
  ): void {
    const piece = encodeMarkersMoved(conversationId, user, markers, undelivered);
    const key = `${conversationId}:${user.userId}`;
    this.#bus.publish(`user:${readerId}`, { kind: "ephemeral", feature: Feature.MARKERS, key, piece });
  }
}

/** @param undelivered ranges of the reader's entries that are never delivered to that user */
export function encodeMarkersMoved(
  conversationId: number,
  user: UserRow,
  markers: StoredMarkers,
  undelivered: readonly SeqRange[] = [],
): Uint8Array {
  return encodeEvent({
    kind: {
      $case: "markersMoved",
      value: {
        conversationId: formatId("conversation", conversationId),
        user: toUser(user),
        ...toMarkerValues(markers),
        undelivered: toSeqRanges(undelivered),
      },
    },
  });
}

/** The fields that Marker and MarkersMoved share. */
export function toMarkerValues(markers: StoredMarkers) {
  const { deliveredSeq, readSeq, deliveredTime, readTime } = markers;
  return {
    deliveredSeq: BigInt(deliveredSeq),
    readSeq: BigInt(readSeq),
    deliveredTime: deliveredTime === 0 ? undefined : new Date(deliveredTime),
    readTime: readTime === 0 ? undefined : new Date(readTime),
  };
}

export function toSeqRanges(ranges: readonly SeqRange[]): WireSeqRange[] {
  return ranges.map(({ from, to }) => ({ fromSeq: BigInt(from), toSeq: BigInt(to) }));
}

function notFound(conversationId: string, field: string): RefusedMarker {
  const refusal = new Refusal(Reason.CONVERSATION_NOT_FOUND, { field: `${field}.conversation_id` });
  return { conversationId, refusal };
}

/** Converts a seq of the contract to a number. A seq above 2^53 - 1 becomes 2^53 - 1, which is also beyond any head. */
export function toSeq(seq: bigint): number {
  return seq > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(seq);
}

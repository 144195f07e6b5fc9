// Converts the server's events to the link's events: each entry once and in order, and each missing range as an event.
import { ConversationKind as WireKind } from "../../../gen/parley/chat/v1/conversation.ts";
import { Content, type Entry, type Gap, GapKind, type Omitted } from "../../../gen/parley/chat/v1/entry.ts";
import type { Ack, Event, Welcome } from "../../../gen/parley/chat/v1/event.ts";
import type { User } from "../../../gen/parley/chat/v1/user.ts";
import type { Position } from "../model/cursors.ts";
import { BrokenStreamError } from "../model/errors.ts";
import type { ConversationKind, EntryContent, LinkEvent, Welcomed } from "../model/events.ts";
import type { Arrival, Positions } from "./positions.ts";

/** An event for the reader, and the position of this device after the reader has taken it. */
export interface Incoming {
  readonly event: LinkEvent;
  readonly position?: Position;
  /** The entry is a message that this link sent. */
  readonly ownEcho?: boolean;
}

export function welcomed(welcome: Welcome, raw: Event): Welcomed {
  return {
    type: "welcome",
    serverId: welcome.serverId,
    sessionId: welcome.sessionId,
    deviceId: welcome.deviceId,
    user: userOf(welcome.user),
    limits: welcome.limits,
    serverTime: welcome.serverTime,
    broadcastConversationId: welcome.broadcastConversationId,
    online: welcome.online,
    onlineNextPageToken: welcome.onlineNextPageToken,
    raw,
  };
}

/** Converts a Content; a kind that this client does not know is "unknown". */
export function contentOf(content: Content | undefined): EntryContent {
  return content?.kind?.$case === "text" ? { kind: "text", text: content.kind.value } : { kind: "unknown" };
}

export function decodeContent(bytes: Uint8Array): EntryContent {
  return contentOf(Content.decode(bytes));
}

export class EventReader {
  readonly #positions: Positions;
  /** Sends that were acked before their entry arrived: client message ids by conversation and seq. */
  readonly #acked = new Map<string, Map<bigint, bigint>>();
  #welcome: Welcomed | undefined;

  constructor(positions: Positions) {
    this.#positions = positions;
  }

  welcome(welcome: Welcomed): void {
    this.#welcome = welcome;
  }

  /**
   * Converts an event, except acks and refusals. Returns nothing for events that arrived before and for unknown kinds.
   * @throws BrokenStreamError if entries between this event and the last one are missing
   */
  read(raw: Event, live: boolean): Incoming[] {
    const kind = raw.kind;
    switch (kind?.$case) {
      case "entryAppended":
        return this.#entry(kind.value.entry, raw, live);
      case "omitted":
        return this.#omitted(kind.value, raw);
      case "gap":
        return this.#gap(kind.value, raw);
      case "markersMoved": {
        const { conversationId, user, deliveredSeq, readSeq, undelivered } = kind.value;
        const mine = this.#isMe(user);
        const event: LinkEvent = {
          type: "markers",
          conversationId,
          user: userOf(user),
          mine,
          deliveredSeq,
          readSeq,
          undelivered,
          raw,
        };
        return [{ event }];
      }
      case "typingChanged": {
        const { conversationId, user, typing } = kind.value;
        return [{ event: { type: "typing", conversationId, user: userOf(user), typing, raw } }];
      }
      case "presenceChanged": {
        const { cameOnline, wentOffline } = kind.value;
        return [{ event: { type: "presence", cameOnline, wentOffline, raw } }];
      }
      case "introductionRequested":
        return [{ event: { type: "introduction-requested", introduction: kind.value, raw } }];
      case "introductionClosed":
        return [{ event: { type: "introduction-closed", closed: kind.value, raw } }];
      case "caughtUp":
        return [{ event: { type: "caught-up", serverTime: kind.value.serverTime, raw } }];
      default:
        return [];
    }
  }

  /**
   * Handles the ack of a message that this link sent. Returns `entryShown`, whether the entry was handed out before,
   * and `position`, the new position if the ack takes the place of its entry.
   */
  acked(ack: Ack): { entryShown: boolean; position: Position | undefined } {
    const { conversationId, seq, clientMessageId } = ack;
    if (this.#positions.ack(conversationId, seq)) {
      this.#takeAcked(conversationId, seq);
      return { entryShown: false, position: positionAt(conversationId, seq) };
    }
    const entryShown = this.#positions.handedOut(conversationId, seq);
    if (!entryShown) {
      const ofConversation = this.#acked.get(conversationId) ?? new Map<bigint, bigint>();
      ofConversation.set(seq, clientMessageId);
      this.#acked.set(conversationId, ofConversation);
    }
    return { entryShown, position: undefined };
  }

  forget(conversationId: string | undefined): void {
    this.#positions.forget(conversationId);
    if (conversationId === undefined) this.#acked.clear();
    else this.#acked.delete(conversationId);
  }

  #entry(entry: Entry | undefined, raw: Event, live: boolean): Incoming[] {
    if (entry === undefined)
      throw new BrokenStreamError("The server sent an EntryAppended without an entry.");
    const { conversationId, seq } = entry;
    const arrival = this.#arrive(conversationId, seq, seq);
    if (arrival.status === "old") return [];
    const mine = this.#isMe(entry.sender);
    const clientMessageId = this.#takeAcked(conversationId, seq);
    const kind = kindOf(entry.kind);
    const peer = kind !== "direct" ? undefined : mine ? entry.recipient : entry.sender;
    const event: LinkEvent = {
      type: "entry",
      conversationId,
      seq,
      kind,
      sender: userOf(entry.sender),
      peer,
      sendTime: entry.sendTime,
      content: contentOf(entry.content),
      mine,
      clientMessageId,
      live,
      entry,
      raw,
    };
    const position = { ...positionAt(conversationId, seq), kind, peer };
    return [
      ...skippedBefore(conversationId, arrival),
      { event, position, ownEcho: clientMessageId !== undefined },
    ];
  }

  #omitted({ conversationId, fromSeq, toSeq }: Omitted, raw: Event): Incoming[] {
    const arrival = this.#arrive(conversationId, fromSeq, toSeq);
    if (arrival.status === "old") return [];
    const event: LinkEvent = { type: "omitted", conversationId, fromSeq: arrival.fromSeq, toSeq, raw };
    return [
      ...skippedBefore(conversationId, arrival),
      { event, position: positionAt(conversationId, toSeq) },
    ];
  }

  #gap({ conversationId, fromSeq, toSeq, kind }: Gap, raw: Event): Incoming[] {
    const arrival = this.#arrive(conversationId, fromSeq, toSeq);
    if (arrival.status === "old") return [];
    const fillable = kind === GapKind.FILLABLE;
    const event: LinkEvent = { type: "gap", conversationId, fromSeq: arrival.fromSeq, toSeq, fillable, raw };
    return [
      ...skippedBefore(conversationId, arrival),
      { event, position: positionAt(conversationId, toSeq) },
    ];
  }

  #arrive(conversationId: string, fromSeq: bigint, toSeq: bigint): Exclude<Arrival, { status: "missing" }> {
    if (conversationId === "" || fromSeq < 1n || toSeq < fromSeq) {
      throw new BrokenStreamError(
        "The server sent a log event without a conversation or with an invalid range.",
      );
    }
    const arrival = this.#positions.arrive(conversationId, fromSeq, toSeq);
    if (arrival.status === "missing") {
      throw new BrokenStreamError(
        `Entries ${arrival.expected} to ${fromSeq - 1n} of conversation ${conversationId} are missing.`,
      );
    }
    return arrival;
  }

  #takeAcked(conversationId: string, seq: bigint): bigint | undefined {
    const ofConversation = this.#acked.get(conversationId);
    const clientMessageId = ofConversation?.get(seq);
    ofConversation?.delete(seq);
    return clientMessageId;
  }

  #isMe(user: User | undefined): boolean {
    return user !== undefined && user.userId === this.#welcome?.user.userId;
  }
}

/** The gap before the arrival. The server leaves it if the Hello has no cursor: it then starts at the last entries. */
function skippedBefore(conversationId: string, arrival: Exclude<Arrival, { status: "missing" }>): Incoming[] {
  if (arrival.status === "old" || arrival.skipped === undefined) return [];
  const { fromSeq, toSeq } = arrival.skipped;
  const event: LinkEvent = { type: "gap", conversationId, fromSeq, toSeq, fillable: true, raw: undefined };
  return [{ event, position: positionAt(conversationId, toSeq) }];
}

function positionAt(conversationId: string, seq: bigint): Position {
  return { conversationId, seq, kind: "unknown", peer: undefined, deliveredSeq: 0n, readSeq: 0n };
}

function kindOf(kind: WireKind): ConversationKind {
  if (kind === WireKind.DIRECT) return "direct";
  return kind === WireKind.BROADCAST ? "broadcast" : "unknown";
}

function userOf(user: User | undefined): User {
  return user ?? { userId: "", username: "" };
}

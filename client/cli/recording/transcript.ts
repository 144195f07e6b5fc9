// The events of a stream in a form that is equal for equal behaviour: without ids, times and the user's own name.
import { type Command, ConnectRequest } from "../../../gen/parley/chat/v1/chat_service.ts";
import { Event } from "../../../gen/parley/chat/v1/event.ts";
import { protoJson } from "../process/proto-json.ts";
import { type ConversationNames, everyone, targetOf } from "./conversation-names.ts";

/** Other fields that are left out, because they differ each time or are texts for people. */
const omitted = new Set([
  ...["serverId", "sessionId", "deviceId", "userId", "broadcastConversationId", "clientMessageId"],
  ...["online", "onlineNextPageToken", "message"],
]);
const seqs = new Set(["seq", "fromSeq", "toSeq", "deliveredSeq", "readSeq"]);

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

interface Taken {
  readonly subject: string;
  readonly json: Json;
  /** The group to which the seqs belong: those of logs and acks, or those of markers. */
  readonly counted: string;
}

export class Transcript {
  /** The number of answers to the stream's own commands. */
  answers = 0;
  readonly #me: string;
  readonly #conversations: ConversationNames;
  readonly #all: boolean;
  readonly #sends = new Map<bigint, { readonly subject: string; readonly target: string | undefined }>();
  readonly #taken: Taken[] = [];
  /** The seqs that occurred, by group and conversation. */
  readonly #seqs = new Map<string, Set<bigint>>();

  /** @param all true compares all events, false only the answers to the stream's own commands */
  constructor(me: string, conversations: ConversationNames, all: boolean) {
    this.#me = me;
    this.#conversations = conversations;
    this.#all = all;
  }

  /** Registers the sends of a frame before it is sent. */
  sent(frame: Uint8Array): void {
    for (const command of ConnectRequest.decode(frame).commands) {
      const id = idOf(command);
      if (id === undefined || this.#sends.has(id)) continue;
      const target = targetOf(command, this.#conversations);
      const subject = `send ${this.#sends.size + 1}, ${target === everyone ? "to everyone" : `to ${target ?? "?"}`}`;
      this.#sends.set(id, { subject, target });
    }
  }

  take(event: Event): void {
    const kind = event.kind;
    if (kind?.$case === "ack") {
      const target = this.#sends.get(kind.value.clientMessageId)?.target;
      if (target !== undefined) this.#conversations.learn(kind.value.conversationId, target);
    } else if (kind?.$case === "entryAppended" && kind.value.entry !== undefined) {
      this.#conversations.learnFrom(kind.value.entry);
    } else if (kind?.$case === "welcome")
      this.#conversations.learn(kind.value.broadcastConversationId, everyone);
    const subject = this.#subjectOf(event);
    if (subject === undefined) return;
    const json = JSON.parse(protoJson("parley.chat.v1.Event", Event.encode(event).finish())) as Json;
    const counted = kind?.$case === "markersMoved" ? "markers " : "log ";
    this.#taken.push({ subject, json: this.#cleaned(json, "", counted), counted });
  }

  /** The events as JSON, in order, by subject. */
  subjects(): Map<string, string[]> {
    const subjects = new Map<string, string[]>();
    for (const { subject, json, counted } of this.#taken) {
      const before = subjects.get(subject);
      const text = JSON.stringify(this.#ranked(json, "", counted));
      if (before === undefined) subjects.set(subject, [text]);
      else before.push(text);
    }
    return subjects;
  }

  #subjectOf({ kind }: Event): string | undefined {
    switch (kind?.$case) {
      case "welcome":
        return this.#answer("the opening");
      case "caughtUp":
        return this.#answer("the end of the backlog");
      case "ack":
        return this.#answer(this.#sends.get(kind.value.clientMessageId)?.subject ?? "acks of other sends");
      case "refused":
        return this.#answer(
          this.#sends.get(kind.value.clientMessageId)?.subject ?? "refusals of other commands",
        );
      case undefined:
        return undefined;
      case "entryAppended":
        return this.#all ? `the log ${this.#place(kind.value.entry?.conversationId ?? "")}` : undefined;
      case "omitted":
      case "gap":
        return this.#all ? `the log ${this.#place(kind.value.conversationId)}` : undefined;
      case "markersMoved":
        return this.#all ? `markers ${this.#place(kind.value.conversationId)}` : undefined;
      case "typingChanged":
        return this.#all ? "typing" : undefined;
      case "presenceChanged":
        return this.#all ? "presence" : undefined;
      case "introductionRequested":
      case "introductionClosed":
        // These have keys and deadlines, which a replay cannot repeat.
        return undefined;
    }
  }

  #answer(subject: string): string {
    this.answers++;
    return subject;
  }

  #place(conversationId: string): string {
    const name = this.#conversations.nameOf(conversationId);
    return name === everyone ? "of everyone" : `with ${name ?? "?"}`;
  }

  /** Replaces ids by names, and registers the seqs, which `#ranked` replaces later. */
  #cleaned(json: Json, around: string, counted: string): Json {
    if (Array.isArray(json)) return json.map((one) => this.#cleaned(one, around, counted));
    if (json === null || typeof json !== "object") return json;
    const place = typeof json.conversationId === "string" ? this.#place(json.conversationId) : around;
    const cleaned: { [key: string]: Json } = {};
    for (const [key, value] of Object.entries(json)) {
      if (omitted.has(key) || key.endsWith("Time")) continue;
      if (key === "conversationId") cleaned.conversation = place;
      else if (key === "retryDelay") cleaned[key] = "some time";
      else if (key === "username") cleaned[key] = value === this.#me ? "(me)" : value;
      else if (seqs.has(key)) {
        this.#note(counted + place, BigInt(String(value)));
        cleaned[key] = value;
      } else cleaned[key] = this.#cleaned(value, place, counted);
    }
    return cleaned;
  }

  #note(place: string, seq: bigint): void {
    const noted = this.#seqs.get(place) ?? new Set();
    this.#seqs.set(place, noted.add(seq));
  }

  /** Replaces a seq by its rank among the seqs that occurred, because the logs of the replay begin at other numbers. */
  #ranked(json: Json, around: string, counted: string): Json {
    if (Array.isArray(json)) return json.map((one) => this.#ranked(one, around, counted));
    if (json === null || typeof json !== "object") return json;
    const place = typeof json.conversation === "string" ? json.conversation : around;
    const noted = [...(this.#seqs.get(counted + place) ?? [])].sort((a, b) => (a < b ? -1 : 1));
    return Object.fromEntries(
      Object.entries(json).map(([key, value]) => [
        key,
        seqs.has(key) ? `#${noted.indexOf(BigInt(String(value))) + 1}` : this.#ranked(value, place, counted),
      ]),
    );
  }
}

function idOf({ kind }: Command): bigint | undefined {
  return kind?.$case === "sendMessage" || kind?.$case === "broadcast"
    ? kind.value.clientMessageId
    : undefined;
}

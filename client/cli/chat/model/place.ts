// A place: the conversation that a message belongs to. It is named by its user, not by an id, as the id may not be
// known yet.
import type { EntryArrived } from "../../../link/model/events.ts";
import type { SendTarget } from "../../../link/model/send-queue.ts";

/**
 * A conversation in the server's log: with one user, the broadcast, or one of a kind that this program does not know.
 */
export type ServerPlace =
  | { readonly kind: "user"; readonly username: string }
  | { readonly kind: "everyone" }
  | { readonly kind: "unknown"; readonly conversationId: string };

/** A private chat, from device to device. */
export interface PrivatePlace {
  readonly kind: "private";
  readonly username: string;
}

export type Place = ServerPlace | PrivatePlace;

export const everyone: ServerPlace = { kind: "everyone" };

export function privately(username: string): PrivatePlace {
  return { kind: "private", username };
}

export function withUser(username: string): ServerPlace {
  return { kind: "user", username };
}

export function placeOfEntry({ kind, peer, conversationId }: EntryArrived): ServerPlace {
  if (kind === "broadcast") return everyone;
  return kind === "direct" && peer !== undefined
    ? withUser(peer.username)
    : { kind: "unknown", conversationId };
}

export function placeOfTarget(target: SendTarget): ServerPlace {
  switch (target.kind) {
    case "user":
      return withUser(target.username);
    case "broadcast":
      return everyone;
    case "conversation":
      return { kind: "unknown", conversationId: target.conversationId };
  }
}

export function targetOfPlace(place: ServerPlace): SendTarget {
  switch (place.kind) {
    case "user":
      return place;
    case "everyone":
      return { kind: "broadcast" };
    case "unknown":
      return { kind: "conversation", conversationId: place.conversationId };
  }
}

/** A map key: equal for equal places only. */
export function placeKey(place: Place): string {
  switch (place.kind) {
    case "user":
      return `u ${place.username}`;
    case "private":
      return `p ${place.username}`;
    case "everyone":
      return "e";
    case "unknown":
      return `c ${place.conversationId}`;
  }
}

export function samePlace(a: Place | undefined, b: Place | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && placeKey(a) === placeKey(b));
}

/** The name of a place in sentences. Unsafe for a terminal. */
export function nameOf(place: Place): string {
  switch (place.kind) {
    case "user":
    case "private":
      return place.username;
    case "everyone":
      return "everyone";
    case "unknown":
      return "another conversation";
  }
}

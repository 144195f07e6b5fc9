// Where a message stands or goes: with one user, with everyone, or in a conversation of a kind not known here.
import type { EntryArrived } from "../../link/events.ts";
import type { SendTarget } from "../../link/send-queue.ts";

export type Place =
  | { readonly kind: "user"; readonly username: string }
  | { readonly kind: "everyone" }
  | { readonly kind: "unknown"; readonly conversationId: string };

export const everyone: Place = { kind: "everyone" };

export function withUser(username: string): Place {
  return { kind: "user", username };
}

export function placeOfEntry({ kind, peer, conversationId }: EntryArrived): Place {
  if (kind === "broadcast") return everyone;
  return kind === "direct" && peer !== undefined
    ? withUser(peer.username)
    : { kind: "unknown", conversationId };
}

export function placeOfTarget(target: SendTarget): Place {
  switch (target.kind) {
    case "user":
      return withUser(target.username);
    case "broadcast":
      return everyone;
    case "conversation":
      return { kind: "unknown", conversationId: target.conversationId };
  }
}

export function targetOfPlace(place: Place): SendTarget {
  switch (place.kind) {
    case "user":
      return place;
    case "everyone":
      return { kind: "broadcast" };
    case "unknown":
      return { kind: "conversation", conversationId: place.conversationId };
  }
}

/** Equal for the same place only. */
export function placeKey(place: Place): string {
  switch (place.kind) {
    case "user":
      return `u ${place.username}`;
    case "everyone":
      return "e";
    case "unknown":
      return `c ${place.conversationId}`;
  }
}

export function samePlace(a: Place | undefined, b: Place | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && placeKey(a) === placeKey(b));
}

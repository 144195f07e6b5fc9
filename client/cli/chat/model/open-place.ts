// The place that lines go to: an open conversation, an open private chat, or none.
import type { ChatConversation } from "./conversations.ts";
import { type Place, type PrivatePlace, privately, samePlace } from "./place.ts";

export class OpenPlace {
  #conversation: ChatConversation | undefined;
  #private: PrivatePlace | undefined;

  /** Undefined if lines are commands. */
  get place(): Place | undefined {
    return this.#private ?? this.#conversation?.place;
  }

  /** The open conversation; undefined if none is open, or a private chat is. */
  get conversation(): ChatConversation | undefined {
    return this.#conversation;
  }

  /** The user of the open private chat. */
  get privateUser(): string | undefined {
    return this.#private?.username;
  }

  isOpen(place: Place): boolean {
    return samePlace(this.place, place);
  }

  openConversation(conversation: ChatConversation): void {
    this.#conversation = conversation;
    this.#private = undefined;
  }

  openPrivate(username: string): void {
    this.#conversation = undefined;
    this.#private = privately(username);
  }

  close(): void {
    this.#conversation = undefined;
    this.#private = undefined;
  }
}

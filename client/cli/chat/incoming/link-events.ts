// What the link tells, event by event: who it concerns in the chat, and what a welcome brings.
import type { LinkEvent, LinkState, Welcomed } from "../../../link/model/events.ts";
import { WITHHELD } from "../../log/sending.ts";
import type { OutgoingMessages } from "../input/outgoing-messages.ts";
import type { ChatLink } from "../model/chat-link.ts";
import type { Conversations } from "../model/conversations.ts";
import type { DisplayItem } from "../model/display-item.ts";
import { everyone } from "../model/place.ts";
import type { ConnectionState } from "./connection-state.ts";
import type { IncomingMessages } from "./incoming-messages.ts";
import type { OnlineUsers } from "./online-users.ts";
import type { TypingUsers } from "./typing-users.ts";

export interface LinkEventOptions {
  readonly me: string;
  readonly address: string;
  readonly link: ChatLink;
  readonly conversations: Conversations;
  readonly connection: ConnectionState;
  readonly people: OnlineUsers;
  readonly typists: TypingUsers;
  readonly incoming: IncomingMessages;
  readonly outgoing: OutgoingMessages;
  show(note: DisplayItem): void;
  tell(sentence: string): void;
  /** Runs work of which a refusal is shown. */
  trying<T>(work: () => Promise<T>): Promise<T | undefined>;
}

export class LinkEventHandler {
  readonly #options: LinkEventOptions;
  /** The first connection stood. */
  greeted = false;

  constructor(options: LinkEventOptions) {
    this.#options = options;
  }

  /** One event of the link. Await it before the next one. */
  async take(event: LinkEvent): Promise<void> {
    switch (event.type) {
      case "state":
        await this.#state(event.state);
        break;
      case "welcome":
        await this.#welcome(event);
        break;
      case "caught-up":
        await this.#options.trying(() => this.#options.incoming.caughtUp());
        break;
      case "entry":
        this.#options.typists.stopped(event.sender.username);
        this.#options.incoming.entry(event);
        break;
      case "gap":
        this.#options.incoming.leftOut(event);
        break;
      case "omitted":
        // Not for this reader; where it was, history says when asked.
        this.#options.conversations.byId(event.conversationId)?.raiseHead(event.toSeq);
        break;
      case "acked":
        this.#stored(this.#options.outgoing.acked(event));
        if (event.withheld) this.#options.tell(WITHHELD);
        break;
      case "refused":
        this.#options.outgoing.refused(event);
        break;
      case "held-back":
        this.#options.outgoing.heldBack(event.messages);
        break;
      case "markers":
        this.#options.incoming.markers(event);
        break;
      case "typing":
        this.#options.typists.heard(event.user.username, event.typing);
        break;
      case "presence":
        this.#options.people.changed(event.cameOnline, event.wentOffline);
        break;
      case "introduction-requested":
      case "introduction-closed":
        // Told by the private chats.
        break;
      case "reset":
        this.#options.conversations.forget(event.conversationId);
        this.#options.tell("The server's log is another one than before: what it holds may be shown again.");
        break;
    }
  }

  async #state(state: LinkState): Promise<void> {
    this.#options.connection.take(state);
    if (state.phase !== "waiting" && state.phase !== "ended") return;
    this.#options.outgoing.connectionLost();
    // Each entry is handed out once: what is here already is shown now.
    await this.#options.trying(() => this.#options.incoming.caughtUp());
  }

  async #welcome(event: Welcomed): Promise<void> {
    const { account } = this.#options.link;
    this.#options.outgoing.limits(event.limits);
    await this.#options.trying(async () => {
      const online = [...event.online];
      if (event.onlineNextPageToken !== "") {
        for await (const { user, online: isHere } of account.listUsers({
          pageToken: event.onlineNextPageToken,
          background: true,
        })) {
          if (user !== undefined && isHere) online.push(user);
        }
      }
      this.#options.people.met(online);
    });
    this.#options.conversations.at(everyone, event.broadcastConversationId);
    await this.#options.trying(async () => {
      for await (const listed of account.listConversations({ background: true }))
        this.#options.incoming.learn(listed);
    });
    this.#options.incoming.streamOpened();
    if (this.greeted) return;
    this.greeted = true;
    this.#options.show({
      kind: "greeting",
      me: this.#options.me,
      address: this.#options.address,
      online: this.#options.people.online,
    });
  }

  #stored({ place, conversationId, seq, mistaken }: ReturnType<OutgoingMessages["acked"]>): void {
    const conversation = this.#options.conversations.at(place, conversationId);
    conversation.raiseHead(seq);
    conversation.raiseOwn(seq);
    conversation.shown = true;
    // Who answers has read what he answers to.
    this.#options.incoming.seen(conversation);
    if (mistaken !== undefined) this.#options.incoming.mistaken(mistaken);
  }
}

// Hands each event of the link to the part of the chat that it concerns.
import type { Duration } from "../../../../gen/google/protobuf/duration.ts";
import type { LinkEvent, LinkState, Welcomed } from "../../../link/model/events.ts";
import { COPIED, WITHHELD } from "../../log/sending.ts";
import type { OutgoingMessages } from "../input/outgoing-messages.ts";
import type { ChatLink } from "../model/chat-link.ts";
import type { Conversations } from "../model/conversations.ts";
import type { DisplayItem } from "../model/display-item.ts";
import { everyone } from "../model/place.ts";
import type { ConnectionState } from "./connection-state.ts";
import type { IdleWarning } from "./idle-warning.ts";
import type { IncomingMessages } from "./incoming-messages.ts";
import type { OnlineUsers } from "./online-users.ts";
import type { TypingUsers } from "./typing-users.ts";

export interface LinkEventOptions {
  readonly me: string;
  readonly address: string;
  readonly link: ChatLink;
  readonly conversations: Conversations;
  readonly connection: ConnectionState;
  readonly idleWarning: IdleWarning;
  /** A person enters the lines, who gave a command by starting the chat. */
  readonly isPerson: boolean;
  readonly onlineUsers: OnlineUsers;
  readonly typingUsers: TypingUsers;
  readonly incoming: IncomingMessages;
  readonly outgoing: OutgoingMessages;
  show(note: DisplayItem): void;
  notify(sentence: string): void;
  /** Runs the work; shows a refusal or a connection error, and then resolves to undefined. */
  attempt<T>(work: () => Promise<T>): Promise<T | undefined>;
}

export class LinkEventHandler {
  readonly #options: LinkEventOptions;
  /** A connection was established at least once. */
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
        await this.#options.attempt(() => this.#options.incoming.caughtUp());
        break;
      case "entry":
        this.#options.typingUsers.stopped(event.sender.username);
        this.#options.incoming.entry(event);
        break;
      case "gap":
        this.#options.incoming.leftOut(event);
        break;
      case "omitted":
        // These entries are not visible to this user. /history reports them on request.
        this.#options.conversations.byId(event.conversationId)?.raiseHead(event.toSeq);
        break;
      case "acked":
        this.#stored(this.#options.outgoing.acked(event));
        this.#options.idleWarning.active();
        if (event.withheld) this.#options.notify(WITHHELD);
        break;
      case "refused":
        this.#options.outgoing.refused(event);
        break;
      case "held-back":
        this.#options.outgoing.heldBack(event.messages);
        break;
      case "copied":
        this.#options.notify(COPIED);
        break;
      case "markers":
        this.#options.incoming.markers(event);
        break;
      case "typing":
        this.#options.typingUsers.heard(event.user.username, event.typing);
        break;
      case "presence":
        this.#options.onlineUsers.changed(event.cameOnline, event.wentOffline);
        break;
      case "introduction-requested":
      case "introduction-closed":
        // The private chats handle these.
        break;
      case "reset":
        this.#options.conversations.forget(event.conversationId);
        this.#options.notify("The server's message log was replaced. Messages may appear again.");
        break;
    }
  }

  async #state(state: LinkState): Promise<void> {
    this.#options.connection.take(state);
    if (state.phase !== "waiting" && state.phase !== "ended") return;
    this.#options.outgoing.connectionLost();
    // The link hands out each entry once, so the entries collected so far are shown now.
    await this.#options.attempt(() => this.#options.incoming.caughtUp());
  }

  async #welcome(event: Welcomed): Promise<void> {
    const { account } = this.#options.link;
    this.#options.outgoing.limits(event.limits);
    this.#options.idleWarning.limit(milliseconds(event.limits?.idleTimeout));
    if (!this.greeted && this.#options.isPerson) this.#options.link.reportActivity();
    await this.#options.attempt(async () => {
      const online = [...event.online];
      if (event.onlineNextPageToken !== "") {
        for await (const { user, online: isHere } of account.listUsers({
          pageToken: event.onlineNextPageToken,
          background: true,
        })) {
          if (user !== undefined && isHere) online.push(user);
        }
      }
      this.#options.onlineUsers.initialize(online);
    });
    this.#options.conversations.at(everyone, event.broadcastConversationId);
    await this.#options.attempt(async () => {
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
      online: this.#options.onlineUsers.online,
    });
  }

  #stored({ place, conversationId, seq, mistaken }: ReturnType<OutgoingMessages["acked"]>): void {
    const conversation = this.#options.conversations.at(place, conversationId);
    conversation.raiseHead(seq);
    conversation.raiseOwn(seq);
    conversation.shown = true;
    // A user who sends a message has read those above it.
    this.#options.incoming.seen(conversation);
    if (mistaken !== undefined) this.#options.incoming.mistaken(mistaken);
  }
}

function milliseconds(duration: Duration | undefined): number | undefined {
  return duration && Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;
}

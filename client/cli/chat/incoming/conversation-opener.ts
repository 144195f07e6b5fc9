// Opens a conversation: checks that there is such a user, and shows what of it is not on the screen yet.
import { RpcError } from "../../../../rpc/status/status.ts";
import { refuse } from "../command/chat-command.ts";
import { nameOf } from "../input/outgoing-messages.ts";
import type { ChatConversation, Conversations } from "../model/conversations.ts";
import type { DisplayItem } from "../model/display-item.ts";
import { withUser } from "../model/place.ts";
import type { IncomingMessages } from "./incoming-messages.ts";
import type { LogReader } from "./log-reader.ts";

export interface ConversationOpenerOptions {
  readonly me: string;
  readonly conversations: Conversations;
  readonly incoming: IncomingMessages;
  readonly log: LogReader;
  readonly atScreen: boolean;
  isLive(): boolean;
  /** The conversation that is open. */
  current(): ChatConversation | undefined;
  /** From now on a line goes there. */
  opened(conversation: ChatConversation): void;
  show(note: DisplayItem): void;
  tell(sentence: string): void;
}

export class ConversationOpener {
  readonly #options: ConversationOpenerOptions;

  constructor(options: ConversationOpenerOptions) {
    this.#options = options;
  }

  /** @throws CommandError where there is no such user; ConnectError */
  async open(username: string): Promise<void> {
    const { me, conversations, incoming, log, atScreen, isLive, current, opened, show, tell } = this.#options;
    if (username === me) throw refuse(`That is you.${this.#stillOpen}`);
    const place = withUser(username);
    const known = conversations.find(place);
    if (known === current() && known !== undefined) {
      incoming.seen(known);
      return;
    }
    // Its newer lines are on the screen: what is missing is not all of it.
    const isPartial = known?.shown === true && known.unshown > 0;
    const needsContext = atScreen && (known === undefined || !known.shown || known.unshown > 0);
    let context: readonly DisplayItem[] = [];
    if (isLive() && (needsContext || known === undefined || known.conversationId === "")) {
      const { unshownToSeq: toSeq } = known ?? {};
      context = await (isPartial && toSeq !== undefined
        ? log.missing(username, known, toSeq)
        : log.context(username, known)
      ).catch((error: unknown) => {
        if (!(error instanceof RpcError)) throw error;
        const isUnknown = error.reason === "USER_NOT_FOUND";
        throw refuse((isUnknown ? `There is no user ${username}.` : error.message) + this.#stillOpen);
      });
    } else if (known === undefined) {
      tell(`Cannot check yet whether ${username} exists; what you write waits.`);
    }
    const conversation = conversations.at(place);
    const above = conversation.unread - conversation.unshown;
    opened(conversation);
    if (needsContext) for (const note of context) show(note);
    if (above > 0 && atScreen && (isPartial || !needsContext)) {
      tell(`${above} ${context.length > 0 ? "newer " : ""}unread from ${username}, above.`);
    }
    if (context.length > 0) conversation.shown = true;
    // Without a connection what is unread may not be here to be seen.
    if (context.length > 0 || conversation.unshown === 0) incoming.seen(conversation);
  }

  /** What to say where a person asked for another conversation in vain. */
  get #stillOpen(): string {
    const open = this.#options.current();
    return open === undefined ? "" : ` Lines still go to ${nameOf(open.place)}.`;
  }
}

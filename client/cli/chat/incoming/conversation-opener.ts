// Opens a conversation: checks that the user exists, and shows the end of it unless it is on the screen already.
import { closest } from "../../../../command-line/closest.ts";
import { RpcError } from "../../../../rpc/status/status.ts";
import { refuse } from "../command/chat-command.ts";
import type { ChatConversation, Conversations } from "../model/conversations.ts";
import type { DisplayItem } from "../model/display-item.ts";
import { nameOf, withUser } from "../model/place.ts";
import type { IncomingMessages } from "./incoming-messages.ts";
import type { LogReader } from "./log-reader.ts";

export interface ConversationOpenerOptions {
  readonly me: string;
  readonly conversations: Conversations;
  readonly incoming: IncomingMessages;
  readonly log: LogReader;
  readonly atScreen: boolean;
  /** The names of the users that this program knows of. */
  usernames(): Iterable<string>;
  isLive(): boolean;
  /** The conversation that is open; undefined if none is, or a private chat. */
  current(): ChatConversation | undefined;
  /** Makes it the open conversation: lines go to it from now on. */
  opened(conversation: ChatConversation): void;
  show(note: DisplayItem): void;
  notify(sentence: string): void;
}

export class ConversationOpener {
  readonly #options: ConversationOpenerOptions;

  constructor(options: ConversationOpenerOptions) {
    this.#options = options;
  }

  /** @throws CommandError if there is no such user; ConnectError */
  async open(username: string): Promise<void> {
    const { me, conversations, incoming, log, atScreen, isLive, current, opened, show, notify } =
      this.#options;
    if (username === me) throw refuse(`You cannot chat with yourself.${this.#stillOpen}`);
    const place = withUser(username);
    const known = conversations.find(place);
    if (known === current() && known !== undefined) {
      incoming.seen(known);
      return;
    }
    // Only the newer unread lines are on the screen; the older ones are fetched.
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
        const near = isUnknown ? closest(username, [...this.#options.usernames()]) : undefined;
        const suggestion = near === undefined ? "" : ` Did you mean /open ${near}?`;
        const why = isUnknown ? `There is no user ${username}.${suggestion}` : error.message;
        throw refuse(why + this.#stillOpen);
      });
    } else if (known === undefined) {
      notify(`Not connected: it is not known yet whether ${username} exists. Messages you send now wait.`);
    }
    const conversation = conversations.at(place);
    const above = conversation.unread - conversation.unshown;
    opened(conversation);
    if (needsContext) for (const note of context) show(note);
    if (above > 0 && atScreen && (isPartial || !needsContext)) {
      notify(unreadAbove(above, context.length > 0 ? "newer " : "", username));
    }
    if (context.length > 0) conversation.shown = true;
    // Without a connection some unread messages may not be on this device, so the user cannot have seen them.
    if (context.length > 0 || conversation.unshown === 0) incoming.seen(conversation);
  }

  /** Added to a refusal, so that the user knows where the next line goes. */
  get #stillOpen(): string {
    const open = this.#options.current();
    return open === undefined ? "" : ` Lines still go to ${nameOf(open.place)}.`;
  }
}

function unreadAbove(count: number, newer: string, username: string): string {
  const what = count === 1 ? `1 ${newer}unread message` : `${count} ${newer}unread messages`;
  return `${what} from ${username} ${count === 1 ? "is" : "are"} above.`;
}

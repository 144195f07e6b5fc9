// Builds the parts of a chat and connects them to each other.
import type { Clock } from "../../../time/clock.ts";
import type { PrivateSettings } from "../private/settings.ts";
import type { ChatActions, ChatCommand, Leaving } from "./command/chat-command.ts";
import { Attention, type BellSetting } from "./incoming/attention.ts";
import { ConnectionState } from "./incoming/connection-state.ts";
import { ConversationOpener } from "./incoming/conversation-opener.ts";
import { IdleWarning } from "./incoming/idle-warning.ts";
import { IncomingMessages } from "./incoming/incoming-messages.ts";
import { LinkEventHandler } from "./incoming/link-events.ts";
import { LogReader } from "./incoming/log-reader.ts";
import { OnlineUsers } from "./incoming/online-users.ts";
import { TypingUsers } from "./incoming/typing-users.ts";
import { OutgoingMessages } from "./input/outgoing-messages.ts";
import { type CommandKey, TypedLines } from "./input/typed-lines.ts";
import type { ChatLink } from "./model/chat-link.ts";
import { Conversations } from "./model/conversations.ts";
import type { Display, DisplayItem } from "./model/display-item.ts";
import { OpenPlace } from "./model/open-place.ts";
import { type Place, privately } from "./model/place.ts";
import type { PrivateLink } from "./model/private-link.ts";
import { EndedChatGuard } from "./private/ended-chat-guard.ts";
import { PrivateController } from "./private/private-controller.ts";

export interface ChatOptions {
  readonly link: ChatLink;
  /** The server's address as the user knows it. */
  readonly address: string;
  /** The user's own name. */
  readonly me: string;
  readonly clock: Clock;
  readonly display: Display;
  readonly commands: readonly ChatCommand[];
  readonly privateChats: PrivateLink;
  readonly privateSettings: PrivateSettings;
  readonly bell: BellSetting;
  /** For a user at a screen: shows the end of a conversation when it is opened, and reports changes together. */
  readonly atScreen: boolean;
  /**
   * How the user confirms that a doubtful line is a command; undefined: a script enters the lines and cannot be asked.
   */
  readonly commandKey: CommandKey | undefined;
  leave(how: Leaving): void;
}

export interface ChatCallbacks {
  readonly actions: ChatActions;
  /** Runs the work; shows a refusal or a connection error, and then resolves to undefined. */
  attempt<T>(work: () => Promise<T>): Promise<T | undefined>;
}

/** Changes of presence within this time are shown in one line at a screen, ms. */
const PRESENCE_JOIN_MS = 500;
/** The most missed messages that are shown. A script can use more than a screen, but memory is bounded. */
const MISSED_LINES = { atScreen: 200, plain: 2_000 };

export class ChatParts implements Disposable {
  readonly open = new OpenPlace();
  readonly conversations = new Conversations();
  readonly attention: Attention;
  readonly endedChatGuard: EndedChatGuard;
  readonly onlineUsers: OnlineUsers;
  readonly typingUsers: TypingUsers;
  readonly connection: ConnectionState;
  readonly idleWarning: IdleWarning;
  readonly outgoing: OutgoingMessages;
  readonly typedLines: TypedLines;
  readonly log: LogReader;
  readonly incoming: IncomingMessages;
  readonly opener: ConversationOpener;
  readonly linkEvents: LinkEventHandler;
  readonly privates: PrivateController;

  constructor(options: ChatOptions, { actions, attempt }: ChatCallbacks) {
    const { link, me, clock, display, address, atScreen, bell, commandKey } = options;
    const { conversations } = this;
    const show = (item: DisplayItem): void => display.show(item);
    const notify = (text: string): void => show({ kind: "notice", text, time: new Date(clock.now()) });
    const refresh = (): void => display.refresh();
    const putBack = (text: string): boolean => display.putBack(text);
    const isOpen = (place: Place): boolean => this.open.isOpen(place);
    const isLive = (): boolean => this.connection.isLive;
    const usernames = (): Set<string> => {
      const names = new Set([...this.onlineUsers.known, ...conversations.usernames()]);
      names.delete(me);
      return names;
    };

    this.attention = new Attention(bell, clock);
    this.endedChatGuard = new EndedChatGuard(putBack);
    this.typingUsers = new TypingUsers(clock, refresh);
    this.onlineUsers = new OnlineUsers({
      clock,
      me,
      joinMs: atScreen ? PRESENCE_JOIN_MS : 0,
      onChange: (change) => show({ kind: "presence", ...change, time: new Date(clock.now()) }),
    });
    this.connection = new ConnectionState({ clock, address, notify });
    const isPerson = commandKey !== undefined;
    this.idleWarning = new IdleWarning({
      clock,
      warn: (seconds) => {
        // A script cannot react, and would take the line for an answer.
        if (isPerson) notify(idleWords(seconds));
      },
    });
    this.outgoing = new OutgoingMessages({ link, me, clock, atScreen, show, isOpen, isLive });
    this.typedLines = new TypedLines({
      actions,
      commandKey,
      putBack,
      notify,
      usernames,
    });
    this.log = new LogReader({ link, me, isOpen, conversations });
    this.incoming = new IncomingMessages({
      link,
      display: { show, refresh, bell: () => display.bell() },
      conversations,
      attention: this.attention,
      isOpen,
      mostMissed: atScreen ? MISSED_LINES.atScreen : MISSED_LINES.plain,
      readsAll: !atScreen,
      isEcho: (entry) => this.outgoing.isEcho(entry),
    });
    this.opener = new ConversationOpener({
      me,
      conversations,
      incoming: this.incoming,
      log: this.log,
      atScreen,
      usernames,
      isLive,
      current: () => this.open.conversation,
      opened: (conversation) => {
        this.open.openConversation(conversation);
        this.endedChatGuard.forget();
      },
      show,
      notify,
    });
    this.linkEvents = new LinkEventHandler({
      me,
      address,
      link,
      conversations,
      connection: this.connection,
      idleWarning: this.idleWarning,
      isPerson,
      onlineUsers: this.onlineUsers,
      typingUsers: this.typingUsers,
      incoming: this.incoming,
      outgoing: this.outgoing,
      show,
      notify,
      attempt,
    });
    this.privates = new PrivateController({
      chats: options.privateChats,
      settings: options.privateSettings,
      me,
      clock,
      attention: this.attention,
      canAsk: commandKey !== undefined,
      readsAll: !atScreen,
      waitsForPeer: !atScreen,
      display,
      isOpen: (username) => isOpen(privately(username)),
      onEnded: (username, byMe = false) => {
        if (this.open.privateUser !== username) return;
        this.open.close();
        if (!byMe) this.endedChatGuard.chatEnded(username);
      },
    });
  }

  [Symbol.dispose](): void {
    this.privates[Symbol.dispose]();
    this.onlineUsers[Symbol.dispose]();
    this.typingUsers[Symbol.dispose]();
    this.connection[Symbol.dispose]();
    this.outgoing[Symbol.dispose]();
    this.idleWarning[Symbol.dispose]();
  }
}

function idleWords(seconds: number): string {
  return `You will be logged out in ${seconds} s, because you gave no command for a long time. To stay, send a message, or press Enter on an empty line.`;
}

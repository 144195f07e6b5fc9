// What the chat shows, apart from how it looks. Texts and names in it are unsafe for a terminal.
import type { EntryContent } from "../../../link/model/events.ts";
import type { UnsentMessage } from "../../../link/model/send-queue.ts";
import type { Place } from "./place.ts";

export interface MessageItem {
  readonly kind: "message";
  /** By the server's clock; by this machine's clock for a message that the server has not stored yet. */
  readonly time: Date | undefined;
  readonly from: string;
  readonly mine: boolean;
  /** The conversation: with the other user of a direct one, whichever of the two wrote the message. */
  readonly place: Place;
  readonly content: EntryContent;
  /** Its conversation is open or was asked for, so the line need not name it. */
  readonly here: boolean;
  /** It was typed here and waits for the connection or the peer. */
  readonly waiting: boolean;
  /** The user sent it just now, here or on another device: plain mode does not print it. */
  readonly echo: boolean;
  /** Never folded, because the user asked for it. */
  readonly whole?: true;
  /** A line of a private chat that is kept on this device, so /history can show it. */
  readonly kept?: true;
}

export interface Count {
  readonly place: Place;
  readonly count: number;
  /** There are more than `count`. */
  readonly isCut?: boolean;
}

export type DisplayItem =
  | MessageItem
  /** The first connection is established. */
  | {
      readonly kind: "greeting";
      readonly me: string;
      readonly address: string;
      readonly online: readonly string[];
    }
  /** Something happened now. */
  | {
      readonly kind: "notice";
      readonly text: string;
      readonly time: Date;
      /** A text of the user that the notice is about; shown whole, with its newlines. */
      readonly quote?: string;
    }
  | { readonly kind: "error"; readonly text: string }
  /**
   * The result of a command, one line per item. Later rows of a line are indented by `hang` more columns; 2 if left
   * out.
   */
  | { readonly kind: "answer"; readonly lines: readonly string[]; readonly hang?: number }
  /** A command that the user entered; plain mode does not print it. */
  | { readonly kind: "command"; readonly text: string }
  /** Above a list, such as "Online"; plain mode does not print it. */
  | { readonly kind: "heading"; readonly text: string }
  /** Users, each with a remark; plain mode prints one name per line. `none` is the sentence for an empty list. */
  | {
      readonly kind: "users";
      readonly users: readonly { readonly name: string; readonly remark: string }[];
      readonly none?: string;
    }
  | {
      readonly kind: "presence";
      readonly came: readonly string[];
      readonly went: readonly string[];
      readonly time: Date;
    }
  | {
      readonly kind: "new-since";
      readonly since: Date | undefined;
      readonly total: number;
      readonly from: readonly Count[];
    }
  /** `count` messages are not shown; the last `lines` entries of the history include them. */
  | { readonly kind: "not-shown"; readonly place: Place; readonly count: number; readonly lines: number }
  /** Entries that cannot be shown: removed from the log, or not visible to this user. */
  | {
      readonly kind: "missing";
      readonly place: Place;
      readonly count: number;
      readonly why: "gone" | "not-visible";
    }
  /** Above lines of history. `place` undefined: above messages that were read on another device. */
  | { readonly kind: "history-heading"; readonly place: Place | undefined }
  /** Above the first unread message. */
  | { readonly kind: "unread-rule" }
  /** Messages that were unread when the user left last time; they are counted and not shown. */
  | { readonly kind: "unread-before"; readonly from: readonly Count[] }
  /** `asked`: the user asked for the outbox; otherwise the messages have just been moved there. */
  | { readonly kind: "held-back"; readonly messages: readonly UnsentMessage[]; readonly asked: boolean };

/** Where the chat shows its items: a screen, or plain lines. */
export interface Display {
  show(note: DisplayItem): void;
  /** Reads the status again: prompt, status line or title may have changed. */
  refresh(): void;
  bell(): void;
  /** Puts an entered line back into the editor. Returns false if the user is typing something else. */
  putBack(text: string): boolean;
}

// What the chat has to show, before anybody decides how it looks. Texts and names in it are as they came: unsafe.
import type { EntryContent } from "../../../link/model/events.ts";
import type { UnsentMessage } from "../../../link/model/send-queue.ts";
import type { Place } from "./place.ts";

export interface MessageItem {
  readonly kind: "message";
  /** By the server's clock; by ours for one that it has not stored yet. */
  readonly time: Date | undefined;
  readonly from: string;
  readonly mine: boolean;
  /** Who wrote it knows where: the other user of a direct conversation, whoever of the two wrote. */
  readonly place: Place;
  readonly content: EntryContent;
  /** Its conversation is the open one, or it was asked for: nobody has to be told where it stands. */
  readonly here: boolean;
  /** Typed here, and not with the server yet. */
  readonly waiting: boolean;
  /** The person's own words, here or at another device, just now: plain mode repeats them only as history. */
  readonly echo: boolean;
  /** It was asked for, and is shown whole however tall it is. */
  readonly whole?: true;
  /** It was said in private, and is kept on this device: the history shows it. */
  readonly kept?: true;
}

export interface Count {
  readonly place: Place;
  readonly count: number;
}

export type DisplayItem =
  | MessageItem
  /** The first connection stands. */
  | {
      readonly kind: "greeting";
      readonly me: string;
      readonly address: string;
      readonly online: readonly string[];
    }
  /** Something happened, at this moment. */
  | {
      readonly kind: "notice";
      readonly text: string;
      readonly time: Date;
      /** The person's own words that it is about, given back whole, in as many lines as they have. */
      readonly quote?: string;
    }
  | { readonly kind: "error"; readonly text: string }
  /** What a command answers: one item a line, the later rows of each indented by so many columns more (2). */
  | { readonly kind: "answer"; readonly lines: readonly string[]; readonly hang?: number }
  /** Users with what is to be said of each, in plain mode one name a line; and what a person is told where there are none. */
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
  /** Lines that are not shown, and how many lines of history would show them. */
  | { readonly kind: "not-shown"; readonly place: Place; readonly count: number; readonly lines: number }
  /** Entries that nobody can show: removed, or not for this reader. */
  | {
      readonly kind: "missing";
      readonly place: Place;
      readonly count: number;
      readonly why: "gone" | "not-visible";
    }
  /** Above lines of history of one place; or, on a new device, above what was read elsewhere. */
  | { readonly kind: "history-heading"; readonly place: Place | undefined }
  /** Above the first unread one. */
  | { readonly kind: "unread-rule" }
  /** What was unread already, and is not shown again. */
  | { readonly kind: "unread-before"; readonly from: readonly Count[] }
  | { readonly kind: "held-back"; readonly messages: readonly UnsentMessage[]; readonly asked: boolean };

/** What the model shows its notes on. */
export interface Display {
  show(note: DisplayItem): void;
  /** Prompt, status or title may have changed. */
  refresh(): void;
  bell(): void;
  /** Puts a line that was entered back before the cursor; false where something else is being typed by now. */
  putBack(text: string): boolean;
}

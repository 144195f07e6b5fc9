// What the actions of `parley admin` have in common: the calls, the output, and pages of lists.

import { parseDuration } from "../../../command-line/durations.ts";
import { type Flag, toggle } from "../../../command-line/flags.ts";
import type { AdminCalls } from "../../link/server/admin-calls.ts";
import type { SignedIn } from "../account/sign-in.ts";
import { accountFlags } from "../command/account-flags.ts";
import type { Call } from "../command/command.ts";
import { usage } from "../process/exit.ts";
import type { Message } from "../process/output.ts";
import { line, type Styled } from "../terminal/text/style.ts";

const count = (name: string, help: string): Flag<number> => ({
  value: "N",
  help,
  read: (given) => {
    if (!/^[1-9]\d{0,8}$/.test(given)) throw usage(`--${name}: "${given}" is not a number from 1 on.`);
    return Number(given);
  },
});

export const adminFlags = {
  bot: toggle("user add: add a bot, which has a token in place of a password."),
  "password-stdin": toggle("user add: read the password from the first line of standard input."),
  uses: count("uses", "invite create: how many users can sign up with it. Default: 1."),
  expires: {
    value: "TIME",
    help: "invite create: how long it is valid, such as 12h or 7d. Default: 7d.",
    read: (given: string) => Math.ceil(parseDuration(given) / 1000),
  },
  count: {
    ...count("count", "logins and actions: how many of the newest to print. Default: 50."),
    short: "n",
  },
  ...accountFlags,
} as const;

export interface AdminCall {
  readonly call: Call<typeof adminFlags>;
  readonly calls: AdminCalls;
  readonly signedIn: SignedIn;
  /** The user name or the id that the command line names; "" if the action takes none. */
  readonly subject: string;
}

export interface AdminAction {
  /** The words of the action, such as "user add". */
  readonly name: string;
  /** The word after the name: NAME, [NAME], ID or none. */
  readonly subject: "NAME" | "[NAME]" | "ID" | "";
  readonly run: (admin: AdminCall) => Promise<void>;
}

/** Prints a message of AdminService with --json, and a text otherwise. */
export async function printed<T>(
  { call }: AdminCall,
  typeName: string,
  codec: Message<T>["codec"],
  value: T,
  text: Styled = line``,
): Promise<void> {
  await call.output.result({ typeName: `parley.chat.v1.${typeName}`, codec, value }, text);
}

/** The items of all pages. */
export async function* itemsOf<Item>(
  load: (page: { pageSize: number; pageToken: string }) => Promise<{ items: Item[]; nextPageToken: string }>,
): AsyncGenerator<Item> {
  for (let pageToken = ""; ; ) {
    const { items, nextPageToken } = await load({ pageSize: 0, pageToken });
    yield* items;
    if (nextPageToken === "") return;
    pageToken = nextPageToken;
  }
}

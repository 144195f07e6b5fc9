// parley history: prints the log of a conversation, or a range of it.

import { type Flag, toggle } from "../../../command-line/flags.ts";
import { ConversationKind } from "../../../gen/parley/chat/v1/conversation.ts";
import { HistoryItem } from "../../../gen/parley/chat/v1/history_service.ts";
import type { ConversationTarget } from "../../link/model/target.ts";
import type { Account } from "../../link/server/account.ts";
import { namingUser } from "../account/naming-user.ts";
import type { SignedIn } from "../account/sign-in.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { type Call, defineCommand } from "../command/command.ts";
import { historyLine } from "../command/show.ts";
import { readMoment } from "../log/moment.ts";
import { handleStoredLines } from "../private/stored-lines.ts";
import { usage } from "../process/exit.ts";

const defaultCount = 50;
/** The most entries to print. All are in memory until the oldest one is known, which is printed first. */
const mostCount = 100_000;
const pageSize = 500;

const flags = {
  count: {
    value: "N",
    short: "n",
    help: `How many of the newest messages to print. Default: ${defaultCount}.`,
    read: (given: string) => {
      const count = /^\d{1,9}$/.test(given) ? Number(given) : 0;
      if (count < 1 || count > mostCount) throw usage(`"${given}" is not a number from 1 to ${mostCount}.`);
      return count;
    },
  },
  from: seqFlag("The number of the first message, instead of the newest ones."),
  to: seqFlag("The number of the last message, inclusive."),
  since: {
    value: "TIME",
    help: "Print the messages from this time on: a time span before now (2h, 7d), or a date (2026-11-30).",
    read: readMoment,
  },
  until: {
    value: "TIME",
    help: "Print the messages before this time, in the same forms.",
    read: readMoment,
  },
  broadcast: toggle("The messages to all users, instead of a user."),
  private: toggle("The lines of private chats with USER that --keep-private stored on this device."),
  forget: toggle("With --private: delete the stored lines instead of printing them."),
  mark: toggle("Mark the printed messages as read. Otherwise no marker moves."),
  ...accountFlags,
} as const;

export const command = defineCommand({
  forms: ["USER", "--broadcast", "USER --private [-n N | --forget]"],
  words: { least: 0, most: 1 },
  flags,
  about: [
    "Prints the oldest message first, as `TIME NAME: TEXT`. Further lines of a text are indented by four spaces. " +
      "Characters that could harm a terminal are made visible, also in a pipe; --json is exact. Messages that you may " +
      "not see, or that are no longer in the log, are printed as ranges of numbers.",
  ],
  json: "HistoryItem, one for each message or range. A stored line is an entry without ids and number.",
  examples: [
    "yoda",
    "yoda -n 500 --json",
    "yoda --from 12 --to 40",
    "yoda --since 2h",
    "--broadcast",
    "yoda --private -n 20",
  ],
  run: async (call) => {
    const { words, values } = call;
    if (values.private === true) return storedLines(call);
    if (values.forget === true) throw usage("--forget deletes stored lines of private chats: add --private.");
    if ((words.length === 1) === (values.broadcast === true)) throw usage("Name a USER, or use --broadcast.");
    const { from, to, since, until } = values;
    const isRange = [from, to, since, until].some((bound) => bound !== undefined);
    if (isRange && values.count !== undefined)
      throw usage("-n counts from the newest message. Leave it out with --from, --to, --since and --until.");
    if (from !== undefined && to !== undefined && from > to) throw usage("--from is above --to.");
    if (since !== undefined && until !== undefined && since > until)
      throw usage("--since is later than --until.");
    await withAccount(call, "reads", async (signedIn) => {
      const target = await conversation(signedIn.account, words[0]);
      if (target === undefined) return;
      const items = isRange ? range(signedIn.account, target, call) : newest(signedIn.account, target, call);
      await namingUser(signedIn.account, words[0] ?? "", () => print(signedIn, items, call));
    });
    return undefined;
  },
});

type HistoryCall = Call<typeof flags>;

/** @throws UsageError if another flag is for the server's log */
async function storedLines(call: HistoryCall): Promise<undefined> {
  const { words, values } = call;
  const [username] = words;
  if (username === undefined || values.broadcast === true) throw usage("Name the user: USER --private.");
  const { from, to, since, until, mark } = values;
  if ([from, to, since, until].some((bound) => bound !== undefined) || mark === true)
    throw usage(
      "Stored lines have no numbers and no markers. Leave out --from, --to, --since, --until and --mark.",
    );
  const forget = values.forget === true;
  if (forget && values.count !== undefined) throw usage("--forget deletes all lines. Leave out -n.");
  return handleStoredLines(call, { username, count: values.count ?? defaultCount, forget });
}

interface Page {
  readonly conversationId: string;
  readonly items: readonly HistoryItem[];
}

/** The broadcast conversation can only be named by its id, which is looked up. */
async function conversation(
  account: Account,
  username: string | undefined,
): Promise<ConversationTarget | undefined> {
  if (username !== undefined) return { kind: "user", username };
  for await (const { conversationId, kind } of account.listConversations({ background: true })) {
    if (kind === ConversationKind.BROADCAST) return { kind: "conversation", conversationId };
  }
  return undefined;
}

async function* range(
  account: Account,
  target: ConversationTarget,
  { values }: HistoryCall,
): AsyncGenerator<Page> {
  const { from = 0n, to = 0n, since, until } = values;
  yield* account.listMessages(target, {
    fromSeq: from,
    toSeq: to,
    pageSize,
    ...(since && { fromTime: since }),
    ...(until && { toTime: until }),
  });
}

async function* newest(
  account: Account,
  target: ConversationTarget,
  { values }: HistoryCall,
): AsyncGenerator<Page> {
  const pages: Page[] = [];
  let left = values.count ?? defaultCount;
  for await (const { conversationId, items } of account.listMessages(target, {
    newestFirst: true,
    pageSize: Math.min(left, pageSize),
  })) {
    const kept = last(items, left);
    pages.push({ conversationId, items: kept });
    left -= kept.filter(isEntry).length;
    if (left <= 0) break;
  }
  yield* pages.reverse();
}

/** The last items of a page, with this many entries and the ranges between them. */
function last(items: readonly HistoryItem[], entries: number): readonly HistoryItem[] {
  let seen = 0;
  const first = items.findLastIndex((item) => isEntry(item) && ++seen === entries);
  return first < 0 ? items : items.slice(first);
}

function isEntry({ item }: HistoryItem): boolean {
  return item?.$case === "entry";
}

async function print({ account }: SignedIn, pages: AsyncIterable<Page>, call: HistoryCall): Promise<void> {
  let conversationId = "";
  let readSeq = 0n;
  for await (const page of pages) {
    conversationId = page.conversationId;
    for (const item of page.items) {
      const message = { typeName: "parley.chat.v1.HistoryItem", codec: HistoryItem, value: item };
      await call.output.result(message, historyLine(item));
      if (item.item?.$case === "entry") readSeq = item.item.value.seq;
    }
  }
  if (call.values.mark === true && readSeq > 0n) {
    await account.setMarkers([{ conversationId, deliveredSeq: 0n, readSeq }]);
  }
}

function seqFlag(help: string): Flag<bigint> {
  return {
    value: "NUMBER",
    help,
    read: (given) => {
      if (!/^\d{1,19}$/.test(given) || BigInt(given) < 1n)
        throw usage(`"${given}" is not a number from 1 on.`);
      return BigInt(given);
    },
  };
}

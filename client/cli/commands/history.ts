// parley history: prints a conversation's log, or a range of it.

import { type Flag, toggle } from "../../../command-line/flags.ts";
import { ConversationKind } from "../../../gen/parley/chat/v1/conversation.ts";
import { HistoryItem } from "../../../gen/parley/chat/v1/history_service.ts";
import type { ConversationTarget } from "../../link/model/target.ts";
import type { Account } from "../../link/server/account.ts";
import type { SignedIn } from "../account/sign-in.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { type Call, defineCommand } from "../command/command.ts";
import { historyLine } from "../command/show.ts";
import { handleStoredLines } from "../private/stored-lines.ts";
import { usage } from "../process/exit.ts";

const defaultCount = 50;
/** They are held in memory, to be printed oldest first. */
const mostCount = 100_000;
const pageSize = 500;

const flags = {
  count: {
    value: "N",
    short: "n",
    help: `How many of the newest messages; else ${defaultCount}.`,
    read: (given: string) => {
      const count = /^\d{1,9}$/.test(given) ? Number(given) : 0;
      if (count < 1 || count > mostCount) throw usage(`"${given}" is no number from 1 to ${mostCount}.`);
      return count;
    },
  },
  from: seqFlag("The first number wanted, in place of the newest messages."),
  to: seqFlag("The last number wanted, included."),
  broadcast: toggle("What was said to everyone, in place of a user."),
  private: toggle(
    "What --keep-private kept of private chats with USER, on this device; the server has none of it.",
  ),
  forget: toggle("With --private: delete what is kept with USER, in place of printing it."),
  mark: toggle("Mark what was printed as read; else no marker moves."),
  ...accountFlags,
} as const;

export const command = defineCommand({
  forms: ["USER", "--broadcast", "USER --private [-n N | --forget]"],
  words: { least: 0, most: 1 },
  flags,
  about: [
    "Oldest first, as `TIME NAME: TEXT`; further lines of a text are indented by four spaces, and what could harm a " +
      "terminal is made visible, in a pipe as well: --json is exact. Numbers that are not shown to you, or are no " +
      "longer in the log, are named as ranges.",
  ],
  json: "HistoryItem, one for each message or range; with --private there is none.",
  examples: ["yoda", "yoda -n 500 --json", "yoda --from 12 --to 40", "--broadcast", "yoda --private -n 20"],
  run: async (call) => {
    const { words, values } = call;
    if (values.private === true) return keptLines(call);
    if (values.forget === true) throw usage("--forget deletes what is kept of private chats: say --private.");
    if ((words.length === 1) === (values.broadcast === true))
      throw usage("Say which: a USER, or --broadcast.");
    const isRange = values.from !== undefined || values.to !== undefined;
    if (isRange && values.count !== undefined)
      throw usage("-n counts from the newest: leave it out beside --from and --to.");
    await withAccount(call, "reads", async (signedIn) => {
      const target = await conversation(signedIn.account, words[0]);
      if (target === undefined) return;
      const items = isRange ? range(signedIn.account, target, call) : newest(signedIn.account, target, call);
      await print(signedIn, items, call);
    });
    return undefined;
  },
});

type HistoryCall = Call<typeof flags>;

/** @throws@throws UsageError where the other flags are of the server's log */
async function keptLines(call: HistoryCall): Promise<undefined> {
  const { words, values } = call;
  const [username] = words;
  if (username === undefined || values.broadcast === true) throw usage("Say with whom: USER --private.");
  if (values.from !== undefined || values.to !== undefined || values.mark === true)
    throw usage("What is kept has no numbers and no marks: leave out --from, --to and --mark.");
  const forget = values.forget === true;
  if (forget && values.count !== undefined) throw usage("--forget deletes all of it: leave out -n.");
  return handleStoredLines(call, { username, count: values.count ?? defaultCount, forget });
}

interface Page {
  readonly conversationId: string;
  readonly items: readonly HistoryItem[];
}

/** The broadcast conversation has no name to ask for, so it is looked up. */
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
  const { from = 0n, to = 0n } = values;
  if (to !== 0n && from > to) return;
  yield* account.listMessages(target, { fromSeq: from, toSeq: to, pageSize });
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

/** The end of a page that has this many entries, with the ranges between them. */
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
      if (!/^\d{1,19}$/.test(given) || BigInt(given) < 1n) throw usage(`"${given}" is no number from 1 on.`);
      return BigInt(given);
    },
  };
}

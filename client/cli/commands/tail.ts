// parley tail: prints messages as they arrive, until it is stopped.

import { parseDuration } from "../../../command-line/durations.ts";
import { toggle } from "../../../command-line/flags.ts";
import { GapKind } from "../../../gen/parley/chat/v1/entry.ts";
import { Event } from "../../../gen/parley/chat/v1/event.ts";
import type { HistoryItem } from "../../../gen/parley/chat/v1/history_service.ts";
import type { Link } from "../../link/link.ts";
import type { LinkEvent } from "../../link/model/events.ts";
import { cursorsAtHeads } from "../../link/receiving/heads.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { type Call, defineCommand } from "../command/command.ts";
import { entryLine, goneLine, omittedLine } from "../command/show.ts";
import { cursorsSince, filled, listen, throwEnding } from "../log/reading.ts";
import { usage } from "../process/exit.ts";
import { stopSignal } from "../process/stop-signal.ts";
import type { Styled } from "../terminal/text/style.ts";

const flags = {
  since: {
    value: "TIME",
    help: "First print the messages of this time span: 90, 90s, 10m, 2h, 7d.",
    read: parseDuration,
  },
  mark: toggle("Mark printed messages as delivered and read. Otherwise no marker moves."),
  all: toggle("With --json: print all events, also presence, typing and markers."),
  ...accountFlags,
} as const;

export const command = defineCommand({
  forms: [""],
  words: { least: 0, most: 0 },
  flags,
  about: [
    "Prints each message as `TIME SENDER → RECIPIENT: TEXT`. Further lines of a text are indented by four spaces. " +
      "Characters that could harm a terminal are made visible, also in a pipe; --json is exact. It reconnects when the " +
      "connection is lost, and misses no message. SIGINT and SIGTERM end it with exit code 0, and so does the next " +
      "message after the reader of its output has gone; the end of the session ends it with 4. While it runs, the user " +
      "is online.",
  ],
  json: "Event: entryAppended, omitted and gap, and with --all every kind.",
  examples: ["", "--since 1h --json", "--json | jq -r .entryAppended.entry.content.text"],
  run: async (call) => {
    if (call.values.all === true && !call.json) throw usage("--all needs --json.");
    const stop = stopSignal(call.environment);
    const signal = AbortSignal.any([stop.signal, call.output.gone]);
    try {
      await withAccount(call, "reads", async (signedIn) => {
        const { since, mark } = call.values;
        const cursors = await (since === undefined
          ? cursorsAtHeads(signedIn.account)
          : cursorsSince(signedIn.account, new Date(Date.now() - since)));
        await using link = listen(signedIn, cursors, mark === true);
        await follow(link, call, signal);
        throwEnding(link);
      });
    } finally {
      stop[Symbol.dispose]();
    }
    return undefined;
  },
});

type TailCall = Call<typeof flags>;

async function follow(link: Link, call: TailCall, signal: AbortSignal): Promise<void> {
  let closing: Promise<void> | undefined;
  const close = (): void => {
    closing ??= link[Symbol.asyncDispose]();
  };
  signal.addEventListener("abort", close);
  if (signal.aborted) close();
  try {
    const notices = new ConnectionNotices(call);
    for await (const event of link.events) {
      // Events that wait for a slow reader are dropped.
      if (signal.aborted) break;
      notices.handle(event);
      await show(event, link, call);
    }
    await closing;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

async function show(event: LinkEvent, link: Link, call: TailCall): Promise<void> {
  switch (event.type) {
    case "entry":
      await print(call, event.raw, entryLine(event.entry, true));
      break;
    case "omitted":
      await print(call, event.raw, omittedLine(event));
      break;
    case "gap":
      if (!event.fillable) await print(call, gapEvent(event), goneLine(event));
      else for await (const item of filled(link.account, event)) await showItem(item, call);
      break;
    default:
      if (call.values.all === true && "raw" in event && event.raw !== undefined)
        await print(call, event.raw, undefined);
      return;
  }
  if (call.values.mark === true)
    link.markRead(event.conversationId, event.type === "entry" ? event.seq : event.toSeq);
}

/** Prints an item of a gap as if it had arrived on the stream. */
async function showItem({ item }: HistoryItem, call: TailCall): Promise<void> {
  switch (item?.$case) {
    case "entry": {
      const kind = { $case: "entryAppended", value: { entry: item.value } } as const;
      return print(call, { kind }, entryLine(item.value, true));
    }
    case "omitted":
      return print(call, { kind: item }, omittedLine(item.value));
    case "gap":
      return print(call, { kind: item }, goneLine(item.value));
    case undefined:
      return;
  }
}

function gapEvent(event: Extract<LinkEvent, { type: "gap" }>): Event {
  const { conversationId, fromSeq, toSeq, raw } = event;
  return raw ?? { kind: { $case: "gap", value: { conversationId, fromSeq, toSeq, kind: GapKind.GONE } } };
}

async function print(call: TailCall, event: Event, text: Styled | undefined): Promise<void> {
  await call.output.result({ typeName: "parley.chat.v1.Event", codec: Event, value: event }, text);
}

/** Reports on standard error that the connection is lost, and that it is open again, once each. */
class ConnectionNotices {
  readonly #call: TailCall;
  #lost = false;

  constructor(call: TailCall) {
    this.#call = call;
  }

  handle(event: LinkEvent): void {
    if (event.type === "reset") {
      this.#call.output.notice("The server has another log than before, so messages may be printed again.");
    }
    if (event.type !== "state") return;
    const { phase } = event.state;
    if (phase === "waiting" && !this.#lost) {
      this.#lost = true;
      this.#call.output.notice(`The connection is lost. Trying to reconnect: ${event.state.cause.message}`);
    } else if (phase === "live" && this.#lost) {
      this.#lost = false;
      this.#call.output.notice("The connection is open again.");
    }
  }
}

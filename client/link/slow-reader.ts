// What a link does while its reader is behind: it reads nothing from the stream, and asks for overdue acks by unary
// calls.
import { Content } from "../../gen/parley/chat/v1/entry.ts";
import type { Ack } from "../../gen/parley/chat/v1/event.ts";
import { ConnectError } from "../../rpc/dialling/dial.ts";
import { RpcError } from "../../rpc/status/status.ts";
import { waitFor } from "../../time/wait.ts";
import type { ReaderFeed } from "./receiving/reader-feed.ts";
import type { Sender } from "./sending/sender.ts";
import type { Account } from "./server/account.ts";

export interface SlowReaderContext {
  readonly account: Account;
  readonly feed: ReaderFeed;
  readonly sender: Sender | undefined;
  /** Aborted when the link ends. */
  readonly signal: AbortSignal;
  readonly refused: (clientMessageId: bigint, error: RpcError) => void;
}

/** How long the reader may be behind before the link asks for acks by unary calls, ms. */
const stallMs = 250;

/**
 * Resolves when the feed has room, or the link ends. Acks wait in the stream behind the other events, so a reader that
 * awaits an ack would wait forever. The link therefore repeats each unanswered send as a unary call. The client
 * message id makes that safe: the server stores the message once.
 */
export async function waitForReader(context: SlowReaderContext): Promise<void> {
  const { feed, signal } = context;
  const room = feed.room();
  while ((await waitFor(room, { ms: stallMs, signal })).status === "late") await askForAcks(context);
}

async function askForAcks({ account, feed, sender, signal, refused }: SlowReaderContext): Promise<void> {
  for (const message of sender?.takeForRepeat(performance.now() - stallMs) ?? []) {
    // Each answer adds an event to the feed, so the number of answers is bounded for a reader that never reads.
    if (!feed.full || feed.overfull || signal.aborted) return;
    const { clientMessageId, target, content } = message;
    const ack = await ask(account.sendMessage(target, Content.decode(content), clientMessageId, { signal }));
    if (ack === undefined) return;
    if (ack instanceof RpcError) {
      refused(clientMessageId, ack);
      continue;
    }
    const answered = sender?.acked(ack);
    if (answered !== undefined) feed.acked(answered, ack);
  }
}

/**
 * The ack or the refusal; undefined if the call failed otherwise. The next round or stream then repeats the send.
 */
async function ask(call: Promise<Ack>): Promise<Ack | RpcError | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RpcError && error.reason !== "") return error;
    if (error instanceof RpcError || error instanceof ConnectError) return undefined;
    throw error;
  }
}

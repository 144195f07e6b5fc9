// What a link does while its reader is behind: nothing is read from the stream, and no send is left without an answer.
import { Content } from "../../gen/parley/chat/v1/entry.ts";
import type { Ack } from "../../gen/parley/chat/v1/event.ts";
import { ConnectError } from "../../rpc/dialling/dial.ts";
import { RpcError } from "../../rpc/status/status.ts";
import type { ReaderFeed } from "./receiving/reader-feed.ts";
import type { Sender } from "./sending/sender.ts";
import type { Account } from "./server/account.ts";
import { after, whenAborted } from "./waiting.ts";

/** The parts of a link that matter here. */
export interface ReaderWait {
  readonly account: Account;
  readonly feed: ReaderFeed;
  readonly sender: Sender | undefined;
  /** Aborted when the link ends. */
  readonly signal: AbortSignal;
  readonly refused: (clientMessageId: bigint, error: RpcError) => void;
}

/** How long the reader may be behind before acks are asked for by call, ms. */
const stallMs = 250;

/**
 * Resolves when the reader has made room, or the link ends. The acks wait in the stream with everything else, and a
 * reader that awaits one of them would wait for ever: so what has no answer for a while is asked for by the unary twin,
 * which the message's id makes safe.
 */
export async function waitForReader(behind: ReaderWait): Promise<void> {
  const { feed, signal } = behind;
  using closing = whenAborted(signal);
  let free = false;
  const room = feed.room().then(() => {
    free = true;
  });
  while (!free && !signal.aborted) {
    using stalled = after(stallMs);
    await Promise.race([room, closing.promise, stalled.promise]);
    if (!free) await askForAcks(behind);
  }
}

async function askForAcks({ account, feed, sender, signal, refused }: ReaderWait): Promise<void> {
  for (const message of sender?.unansweredSince(performance.now() - stallMs) ?? []) {
    // Each answer is one more event: for someone who does not read at all, no more is asked for.
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

/** The ack or the refusal; undefined for what says nothing about the message: the next round or stream settles it. */
async function ask(call: Promise<Ack>): Promise<Ack | RpcError | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RpcError && error.reason !== "") return error;
    if (error instanceof RpcError || error instanceof ConnectError) return undefined;
    throw error;
  }
}

// Runs the private chats of one log-in for a command: the link that brings the questions, the chats, and their end.
import type { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { type Link, openLink } from "../../link/link.ts";
import { cursorsAtHeads } from "../../link/receiving/heads.ts";
import type { PrivateChats } from "../../peer/private-chats.ts";
import { Activity } from "../account/activity.ts";
import { clientInfo, type SignedIn, type SignInContext } from "../account/sign-in.ts";
import { withAccount } from "../account/with-account.ts";
import type { AccountCall } from "../command/command.ts";
import { throwEnding } from "../log/reading.ts";
import { stopSignal } from "../process/stop-signal.ts";
import { type ChatsWanted, endingAfter, openPrivateChats, privateLinkOptions } from "./session.ts";

/** What a command has while it runs. */
export interface PrivateRun {
  readonly chats: PrivateChats;
  readonly signedIn: SignedIn;
  readonly context: SignInContext;
  /** Resolves when others can ask this device. */
  readonly live: Promise<void>;
  /** Aborted by a signal, when nobody reads the output any more, and when the link has ended. */
  readonly signal: AbortSignal;
  /** What those are told with whom a chat ends now, as far as it is this end that ends it. */
  readonly ending: Ending;
  /** Somebody is at work here: the server's time-out begins anew. */
  reportActivity(): void;
}

/**
 * Runs the work with private chats that can be asked for and asked for here. Where the link ends for good, so does the
 * command, as `tail` does: the work is to end then, and can tell first what was lost.
 * @param ending what those are told with whom a chat is still open at the end, unless it is the link that has ended
 * @throws as withAccount, and what the work throws
 */
export async function withPrivateChats<T>(
  call: AccountCall,
  wanted: ChatsWanted,
  ending: Ending,
  work: (run: PrivateRun) => Promise<T>,
): Promise<T> {
  using stop = stopSignal(call.environment);
  const signal = AbortSignal.any([stop.signal, call.output.gone]);
  return await withAccount(call, "reads", async (signedIn, context) => {
    await using chats = await openPrivateChats(context, signedIn, wanted);
    const { endpoint, token, profile, account } = signedIn;
    await using link = openLink({
      ...privateLinkOptions(chats),
      endpoint,
      token,
      client: clientInfo(),
      serverId: profile.serverId,
      receiveOnly: true,
      cursors: await cursorsAtHeads(account),
    });
    const over = new AbortController();
    const live = Promise.withResolvers<void>();
    const broken = Promise.withResolvers<never>();
    const activity = new Activity(account, broken.reject);
    brought(link, chats, live.resolve).then(() => over.abort(), broken.reject);
    const run: PrivateRun = {
      chats,
      signedIn,
      context,
      live: live.promise,
      signal: AbortSignal.any([signal, over.signal]),
      get ending() {
        return link.state.phase === "ended" ? endingAfter(link.state.ending, ending) : ending;
      },
      reportActivity: () => activity.report(),
    };
    const outcome = await Promise.race([work(run), broken.promise]);
    const isOver = over.signal.aborted;
    await chats.close(run.ending);
    if (!isOver) return outcome;
    throwEnding(link);
    throw new Error("The link ended without a reason.");
  });
}

/** Hands on what the link brings, until it ends. */
async function brought(link: Link, chats: PrivateChats, live: () => void): Promise<void> {
  for await (const event of link.events) {
    chats.handleLinkEvent(event);
    if (event.type === "state" && event.state.phase === "live") live();
  }
}

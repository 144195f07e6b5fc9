// Runs the private chats of a command: the link that receives requests, the chats, and their end.
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
import { type ChatsWanted, endingAfter, openPrivateChats, privateLinkOptions } from "./open-private-chats.ts";

/** What a command uses while its private chats run. */
export interface PrivateRun {
  readonly chats: PrivateChats;
  readonly signedIn: SignedIn;
  readonly context: SignInContext;
  /** Resolves when other users can request a private chat with this device. */
  readonly live: Promise<void>;
  /** Aborted by a signal, when the reader of the output has gone, and when the link has ended. */
  readonly signal: AbortSignal;
  /** The ending to send to peers if this side ends a chat now. */
  readonly ending: Ending;
  /** Reports activity of the user, which restarts the server's idle time-out. */
  reportActivity(): void;
}

/**
 * Runs the work with private chats that this device can request and accept. If the link ends for good, `signal` is
 * aborted: the work ends, and may first report what was lost.
 * @param ending sent to the peers of chats that are open at the end, unless the link has ended
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
      onServerChanged: (serverId) => context.state.profiles.serverChanged(profile.profileId, serverId),
      receiveOnly: true,
      cursors: await cursorsAtHeads(account),
    });
    const linkEnded = new AbortController();
    const live = Promise.withResolvers<void>();
    const broken = Promise.withResolvers<never>();
    const activity = new Activity(account, broken.reject);
    handleEvents(link, chats, live.resolve).then(() => linkEnded.abort(), broken.reject);
    const run: PrivateRun = {
      chats,
      signedIn,
      context,
      live: live.promise,
      signal: AbortSignal.any([signal, linkEnded.signal]),
      get ending() {
        return link.state.phase === "ended" ? endingAfter(link.state.ending, ending) : ending;
      },
      reportActivity: () => activity.report(),
    };
    const outcome = await Promise.race([work(run), broken.promise]);
    const isEnded = linkEnded.signal.aborted;
    await chats.close(run.ending);
    if (!isEnded) return outcome;
    throwEnding(link);
    throw new Error("The link ended without a reason.");
  });
}

/** Passes the events of the link to the chats, until it ends. */
async function handleEvents(link: Link, chats: PrivateChats, live: () => void): Promise<void> {
  for await (const event of link.events) {
    chats.handleLinkEvent(event);
    if (event.type === "state" && event.state.phase === "live") live();
  }
}

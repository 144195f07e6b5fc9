// One chat over a link of its own: opens the link and the private chats, runs the chat, and leaves as the outcome says.
import { Ending } from "../../../../gen/parley/peer/v1/peer_service.ts";
import { type Link, openLink } from "../../../link/link.ts";
import { type BackoffOptions, defaultBackoff } from "../../../link/server/backoff.ts";
import type { PrivateChats } from "../../../peer/private-chats.ts";
import { clientInfo, type SignedIn, type SignInContext } from "../../account/sign-in.ts";
import type { Wanted } from "../../command/account-flags.ts";
import type { PrivateWanted } from "../../private/flags.ts";
import { endingAfter, openPrivateChats, privateLinkOptions } from "../../private/open-private-chats.ts";
import { openPeerDebug } from "../../private/peer-debug.ts";
import { lostWords, pathWords } from "../../private/private-words.ts";
import type { PrivateSettings } from "../../private/settings.ts";
import type { ExitCode } from "../../process/exit.ts";
import type { ChatOutcome } from "../model/outcome.ts";
import { endLogin, endsLogin, leave } from "./leave.ts";
import { HangUps } from "./signals.ts";

/** A person who waits for the connection does not wait long for the next attempt. */
export const personBackoff: BackoffOptions = { ...defaultBackoff, capMs: 5_000 };

/** What the chat works with, at a screen or in plain lines. */
export interface Linked {
  readonly link: Link;
  readonly privateChats: PrivateChats;
  readonly privateSettings: PrivateSettings;
  /** Every way to leave logs out. */
  readonly logsOut: boolean;
}

export interface Finished {
  readonly outcome: ChatOutcome;
  readonly code: ExitCode;
}

/**
 * With `wanted.fresh` (the original's command line) every way to leave logs out, an error in `run` included.
 * @throws what `run`, the private chats or leaving throw
 */
export async function runLinked(
  context: SignInContext,
  signedIn: SignedIn,
  { wanted, privately }: { readonly wanted: Wanted; readonly privately: PrivateWanted },
  run: (parts: Linked) => Promise<ChatOutcome>,
): Promise<Finished> {
  const { state } = context;
  const { profile, endpoint, token } = signedIn;
  const logsOut = wanted.fresh === true;
  const hasPerson = context.environment.stdin.isTTY;
  using _hangUps = new HangUps(context.environment.host);
  const { answer, path, keep } = privately;
  const kept = state.privateLines(profile.profileId);
  const privateSettings = { answer, path, kept, lines: keep ? kept : undefined };
  await using privateChats = await openPrivateChats(context, signedIn, {
    ...privately,
    canAsk: context.environment.stdin.isTTY === true,
  });
  if (logsOut) for (const sentence of originalsWords(privately)) context.notice(sentence);
  await using _debug = privately.debug ? await openPeerDebug(context.notice) : undefined;
  await using link = openLink({
    ...privateLinkOptions(privateChats),
    endpoint,
    token,
    client: clientInfo(),
    serverId: profile.serverId,
    onServerChanged: (serverId) => state.profiles.serverChanged(profile.profileId, serverId),
    cursors: state.cursors(profile.profileId),
    queue: state.sendQueue(profile.profileId),
    ...(hasPerson && { backoff: personBackoff }),
  });
  let outcome: ChatOutcome | undefined;
  try {
    outcome = await run({ link, privateChats, privateSettings, logsOut });
    const lost = await privateChats.close(privateEnding(outcome, logsOut));
    for (const sentence of lostWords(lost)) context.notice(sentence);
    return { outcome, code: await leave(outcome, context, signedIn, link) };
  } finally {
    const isLoggedOut = outcome !== undefined && endsLogin(outcome);
    if (logsOut && !isLoggedOut) await endLogin(context, signedIn);
  }
}

/**
 * The original's client accepts private chats without a question, and connects directly to the other client. Its users
 * should know both before the first one.
 */
function originalsWords({ answer, path }: Pick<PrivateWanted, "answer" | "path">): string[] {
  const directly =
    `Private chats go ${pathWords.direct} if the other user agrees and the devices reach each other, and then the other ` +
    "user sees your address; otherwise they go through the server, which cannot read them. To hide your address, add " +
    "--private-path relay.";
  const accepts = "Private chats are accepted without asking you";
  const ask = "To be asked, add --private-answer ask.";
  if (answer !== "accept") return path === "direct" ? [directly] : [];
  return path === "direct" ? [`${accepts}. ${ask}`, directly] : [`${accepts}, ${pathWords.relayed}. ${ask}`];
}

/** The reason that the peers of open private chats receive. */
function privateEnding(outcome: ChatOutcome, logsOut: boolean): Ending {
  const left = logsOut || outcome.kind === "logout" ? Ending.LOGGED_OUT : Ending.LEFT;
  return outcome.kind === "ended" ? endingAfter(outcome.ending, left) : left;
}

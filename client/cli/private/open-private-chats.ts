// Opens the private chats of a session: the peer server, the options of the link that receives requests, and the
// ending.
import { Feature } from "../../../gen/parley/chat/v1/event.ts";
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { ListenError } from "../../../rpc/listening/listen.ts";
import type { LinkOptions } from "../../link/link-options.ts";
import type { LinkEnding } from "../../link/model/events.ts";
import { PrivateCalls } from "../../link/server/private-chat-calls.ts";
import { isForOtherServer, register } from "../../peer/keys/registration.ts";
import type { Verifier } from "../../peer/keys/verification.ts";
import { PrivateChats } from "../../peer/private-chats.ts";
import type { Profile } from "../../state/profiles.ts";
import { namesOf } from "../account/register-device.ts";
import { clientInfo, type SignedIn, type SignInContext } from "../account/sign-in.ts";
import { CommandError, Exit } from "../process/exit.ts";
import { commandLine } from "../process/quoted-command-line.ts";
import type { PrivateWanted } from "./flags.ts";

/** The features of a link for private chats. */
const features = [Feature.PRESENCE, Feature.TYPING, Feature.MARKERS, Feature.INTRODUCTIONS];

/** The options of private chats. */
export interface ChatsWanted extends Pick<PrivateWanted, "path" | "port" | "admits"> {
  /** As in KeyPolicy. */
  readonly canAsk: boolean;
  /** As in PrivateChatsOptions. */
  readonly allowHalfOpen?: boolean;
}

/** @throws CommandError if the port cannot be used */
export async function openPrivateChats(
  { state }: Pick<SignInContext, "state">,
  { profile, endpoint, token }: SignedIn,
  { path, port, admits, canAsk, allowHalfOpen = false }: ChatsWanted,
): Promise<PrivateChats> {
  const { profileId } = profile;
  const { name, version } = clientInfo();
  try {
    return await PrivateChats.open({
      endpoint,
      token,
      names: namesOf(profile),
      keys: state.keys(profileId),
      contacts: state.contacts(profileId),
      client: { name, version },
      listen: path === "relay" ? undefined : { host: "::", port },
      allowHalfOpen,
      policy: { admits, canAsk },
    });
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    throw new CommandError(Exit.REFUSED, `--peer-port: ${error.message}`, { cause: error });
  }
}

/** The device of a session, for commands that check keys and run no chat. */
export function verifierOf(
  { state, environment }: Pick<SignInContext, "state" | "environment">,
  { profile, endpoint, token }: SignedIn,
): Verifier {
  const { profileId } = profile;
  const calls = new PrivateCalls(endpoint, token);
  const names = namesOf(profile);
  return {
    calls,
    names,
    contacts: state.contacts(profileId),
    register: async () => {
      try {
        return await register(calls, state.keys(profileId), names);
      } catch (error) {
        throw isForOtherServer(error) ? restored(profile, environment.program, error) : error;
      }
    },
  };
}

/** The chat notices the new id of a restored server by itself. A command without a stream cannot. */
function restored({ username, address }: Profile, program: string, cause: unknown): CommandError {
  const command = commandLine(program, "login", username, "--server", address);
  return new CommandError(
    Exit.REFUSED,
    `The server at ${address} has other data than before, such as a restored backup. Your devices have to be signed ` +
      `anew for it. Start the chat once, or run: ${command}`,
    { cause },
  );
}

/**
 * The ending to send to the peers of open chats when the link has ended.
 * @param otherwise for endings without one of their own
 */
export function endingAfter(ending: LinkEnding, otherwise: Ending): Ending {
  switch (ending.kind) {
    case "not-logged-in":
      return ending.cause.reason === "SESSION_TIMED_OUT" ? Ending.TIMED_OUT : Ending.LOGGED_OUT;
    case "failed":
      return Ending.FAILED;
    case "closed":
    case "not-trusted":
    case "refused":
      return otherwise;
  }
}

/** The options of a link that receives requests for private chats. */
export function privateLinkOptions(
  chats: PrivateChats,
): Required<Pick<LinkOptions, "features" | "processId" | "beforeStream">> {
  return {
    features,
    processId: chats.processId,
    beforeStream: (serverId) => chats.beforeStream(serverId),
  };
}

// Looks up the private chat with one user: whether it is open, starting or asked for.
import type { Path } from "../../../peer/path/connect-peer.ts";
import type { PrivateLink } from "../model/private-link.ts";

/** The path of the open chat with this user; undefined if none is open. */
export function pathOf({ openChats }: Pick<PrivateLink, "openChats">, username: string): Path | undefined {
  return openChats.find((open) => open.username === username)?.path;
}

/** Whether a chat with this user is open, or was asked for or accepted here and may open soon. */
export function isOpenOrStarting(chats: PrivateLink, username: string): boolean {
  return (
    pathOf(chats, username) !== undefined ||
    chats.outgoingRequests.includes(username) ||
    chats.pendingPeers.includes(username)
  );
}

/** Whether this user has asked for a chat and has no answer yet. */
export function hasRequestFrom(
  { incomingRequests }: Pick<PrivateLink, "incomingRequests">,
  username: string,
): boolean {
  return incomingRequests.some((request) => request.username === username);
}

// The part of a Link that the chat uses. Tests implement it without a server.

import type { Link } from "../../../link/link.ts";
import type { Account } from "../../../link/server/account.ts";

export interface ChatLink
  extends Pick<
    Link,
    | "send"
    | "settled"
    | "heldBack"
    | "release"
    | "drop"
    | "markRead"
    | "retryNow"
    | "setTyping"
    | "reportActivity"
    | "state"
  > {
  readonly account: Pick<
    Account,
    | "listUsers"
    | "listConversations"
    | "listMessages"
    | "blockUser"
    | "unblockUser"
    | "listBlocks"
    | "listLogIns"
  >;
}

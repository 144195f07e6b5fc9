// What the chat needs of its server connection: a Link does all of it, and a test plays it.

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

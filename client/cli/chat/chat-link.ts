// What the chat needs of its server connection: a Link does all of it, and a test plays it.
import type { Account } from "../../link/account.ts";
import type { Link } from "../../link/link.ts";

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

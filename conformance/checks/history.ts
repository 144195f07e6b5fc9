// Checks of the history: the pages of a log, read from either end, contain every seq of their range once.
import { PageOrder } from "../../gen/parley/chat/v1/history_service.ts";
import { toConversation, toUser } from "../client/commands.ts";
import { equal, isTrue } from "../client/expect.ts";
import { namedByHistory, range, seqsOf } from "../client/named.ts";
import { refused } from "../client/reasons.ts";
import type { Check } from "./check.ts";
import { atLeast } from "./resume.ts";

const PAGE_DEFAULT = 100;
const PAGE_MOST = 500;

export const historyChecks: readonly Check[] = [
  {
    name: "history.pages",
    says: "pages from either end contain every seq of the range once, and the items of a page rise",
    contract: "history_service.proto: ListMessagesResponse.items",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await atLeast(ann, ben, 60);
      const [fromSeq, toSeq] = [seq - 40n, seq - 3n];
      for (const order of [PageOrder.OLDEST_FIRST, PageOrder.NEWEST_FIRST]) {
        const pages: bigint[][] = [];
        let pageToken = "";
        do {
          const asked = { fromSeq, toSeq, order, pageSize: 7, pageToken };
          const page = await ben.listMessages(toConversation(conversationId), asked);
          equal("ListMessagesResponse.head_seq", page.headSeq, seq);
          equal("ListMessagesResponse.conversation_id", page.conversationId, conversationId);
          pages.push(seqsOf(namedByHistory(page.items)));
          isTrue("the items of a page of 7", page.items.length <= 7, "at most 7", page.items.length);
          pageToken = page.nextPageToken;
        } while (pageToken !== "" && pages.length < 100);
        const inOrder = order === PageOrder.NEWEST_FIRST ? pages.toReversed() : pages;
        equal(`the seqs of all pages, order ${order}`, inOrder.flat(), range(fromSeq, toSeq));
      }
    },
  },
  {
    name: "history.page-size",
    says: "a page has 100 entries by default, and at most 500 for any requested size",
    contract: "history_service.proto: ListMessagesRequest.page_size",
    run: async ({ ann, ben }) => {
      await atLeast(ann, ben, PAGE_MOST + 10);
      const sizeOf = async (pageSize: number): Promise<number> =>
        seqsOf(namedByHistory((await ben.listMessages(toUser(ann.username), { pageSize })).items)).length;
      // The texts are small, because a page with large entries can end sooner. Omitted entries do not count.
      const [byDefault, most] = [await sizeOf(0), await sizeOf(10_000)];
      isTrue("a page of the default size", byDefault >= PAGE_DEFAULT, "100 entries", byDefault);
      isTrue("a page of 10,000", most >= PAGE_MOST, "500 entries", most);
      const { items } = await ben.listMessages(toUser(ann.username), { pageSize: 10_000 });
      const entries = items.filter(({ item }) => item?.$case === "entry").length;
      isTrue("the entries of a page of 10,000", entries <= PAGE_MOST, "at most 500", entries);
    },
  },
  {
    name: "history.page-token",
    says: "a page token of another request, or a made-up one, is refused as PAGE_TOKEN_INVALID",
    contract: "reason.proto: REASON_PAGE_TOKEN_INVALID",
    run: async ({ ann, ben }) => {
      await atLeast(ann, ben, 60);
      const target = toUser(ben.username);
      const { nextPageToken: pageToken } = await ann.listMessages(target, { pageSize: 5 });
      isTrue("ListMessagesResponse.next_page_token", pageToken !== "", "it to be set", pageToken);
      await ann.listMessages(target, { pageSize: 9, pageToken });
      const reason = "PAGE_TOKEN_INVALID";
      await refused(
        "a token with another range",
        ann.listMessages(target, { fromSeq: 2n, pageToken }),
        reason,
      );
      await refused("a token with another order", ann.listMessages(target, { order: 2, pageToken }), reason);
      await refused("a made-up token", ann.listMessages(target, { pageToken: "made up" }), reason);
    },
  },
  {
    name: "history.others",
    says: "a user cannot read the log of a conversation of other users",
    contract: "reason.proto: REASON_CONVERSATION_NOT_FOUND",
    run: async ({ ann, ben, cat }) => {
      const { conversationId } = await ann.send(ben, "between us");
      const reason = "CONVERSATION_NOT_FOUND";
      await refused("the log of other users", cat.listMessages(toConversation(conversationId)), reason);
      await refused("a send into it", cat.sendTo(toConversation(conversationId), "hello"), reason);
    },
  },
];

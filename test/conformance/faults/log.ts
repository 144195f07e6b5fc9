// Faults of servers in the log: its order, acks, resume, and the history.
import {
  type Hello,
  SendMessageRequest,
  SendMessageResponse,
} from "../../../gen/parley/chat/v1/chat_service.ts";
import type { Event } from "../../../gen/parley/chat/v1/event.ts";
import { ListMessagesRequest, ListMessagesResponse } from "../../../gen/parley/chat/v1/history_service.ts";
import type { Tampering } from "../tampering-proxy.ts";
import { answering, asked, changed, type Fault, forgiving, late, without } from "./fault.ts";

const ignoresCursors = (hello: Hello): Hello => ({ ...hello, cursors: [] });

export const logFaults: readonly Fault[] = [
  {
    what: "does not yet have the newest entry in the history",
    tampering: () => ({
      unary: answering({
        ListMessages: changed(ListMessagesResponse, (page) => ({ ...page, items: page.items.slice(0, -1) })),
      }),
    }),
    detectedBy: {
      "ack.means-stored": /ListMessages right after an Ack/,
      "history.pages": /the seqs of all pages/,
      "once.per-device": /the log/,
      "order.same-for-all": /the history once all are acked/,
    },
  },
  {
    what: "drops acks",
    tampering: () => ({ down: without("ack") }),
    detectedBy: {
      "ack.means-stored": /the answer to the send.*an Ack.*nothing within/,
      "order.of-commands": /an Ack.*nothing within/,
      "once.repeated": /an Ack.*nothing within/,
    },
  },
  {
    what: "loses messages that arrive together",
    tampering: () => ({
      up: () => {
        let together = 0;
        return (frame) => {
          if (together === 0) setImmediate(() => (together = 0));
          together += 1;
          return together > 3 ? [] : [frame];
        };
      },
    }),
    detectedBy: { "order.one-piece": /forty messages in one DATA frame.*nothing within/ },
  },
  {
    what: "delays acks",
    tampering: () => ({ down: late((event) => event.kind?.$case === "ack") }),
    detectedBy: { "ack.in-place": /the sender's stream: every seq once, in order/ },
  },
  {
    what: "sends the entry in addition to the Ack",
    tampering: () => ({
      down: () => (event) => {
        if (event.kind?.$case !== "ack") return [event];
        const { conversationId, seq, sendTime } = event.kind.value;
        const empty = { kind: 0 as const, sender: undefined, recipient: undefined, content: undefined };
        const entry = { conversationId, seq, sendTime, ...empty };
        return [event, { kind: { $case: "entryAppended", value: { entry } } }];
      },
    }),
    detectedBy: {
      "ack.in-place": /the sender's stream: every seq once/,
      "broadcast.reach": /the author's own stream/,
    },
  },
  {
    what: "reorders entries",
    tampering: () => ({ down: lateEntries(3n) }),
    detectedBy: {
      "order.of-commands": /the items that the recipient received/,
      "order.same-for-all": /compared with the history/,
      "content.verbatim": /the texts on a stream/,
    },
  },
  {
    what: "stores a repeated send under a new seq",
    tampering: () => {
      let next = 1_000_000n;
      return {
        unary: answering({
          SendMessage: async (call) => {
            const request = SendMessageRequest.decode(call.request);
            next++;
            const asNew = SendMessageRequest.encode({ ...request, clientMessageId: next }).finish();
            const { ack } = SendMessageResponse.decode(await call.forward(asNew));
            const { clientMessageId } = request;
            return SendMessageResponse.encode({ ack: ack && { ...ack, clientMessageId } }).finish();
          },
        }),
      };
    },
    detectedBy: {
      "once.repeated": /the second SendMessage: .*repeatedSend: true.*repeatedSend: false/,
      "once.reused": /another content: CLIENT_MESSAGE_ID_REUSED.*no refusal/,
      "once.ids": /the id 2\^63: INVALID_FIELD.*no refusal/,
    },
  },
  {
    what: "sets ids in the range of clients",
    tampering: () => ({
      unary: answering({
        SendMessage: changed(SendMessageResponse, ({ ack }) => ({
          ack: ack && { ...ack, clientMessageId: ack.clientMessageId % 2n ** 63n },
        })),
      }),
    }),
    detectedBy: { "once.ids": /an id set by the server: 2\^63 or above/ },
  },
  {
    what: "has no default page size",
    tampering: () => ({
      unary: answering({
        ListMessages: asked(ListMessagesRequest, (request) => ({
          ...request,
          pageSize: request.pageSize || 10,
        })),
      }),
    }),
    detectedBy: { "history.page-size": /a page of the default size: 100 entries.*came 10/ },
  },
  {
    what: "accepts any page token",
    tampering: () => ({ unary: answering({ ListMessages: forgiving("PAGE_TOKEN_INVALID") }) }),
    detectedBy: { "history.page-token": /a token with another range: PAGE_TOKEN_INVALID.*no refusal/ },
  },
  {
    what: "shows logs to other users",
    tampering: () => ({ unary: answering({ ListMessages: forgiving("CONVERSATION_NOT_FOUND") }) }),
    detectedBy: { "history.others": /the log of other users: CONVERSATION_NOT_FOUND.*no refusal/ },
  },
  {
    what: "ignores cursors",
    tampering: () => ({ hello: ignoresCursors }),
    detectedBy: {
      "resume.cursor": /the backlog above 0 of 4/,
      "resume.refused-cursors": /a cursor beyond the head: CURSOR_BEYOND_HEAD|its end as .*nothing within/,
      "limits.cursors": /its end as .*nothing within/,
      "twins.same-endings": /its end as .*nothing within/,
    },
  },
  {
    what: "starts at a cursor and not after it",
    tampering: () => ({
      hello: (hello) => ({
        ...hello,
        cursors: hello.cursors.map((one) => ({ ...one, seq: one.seq > 0n ? one.seq - 1n : 0n })),
      }),
    }),
    detectedBy: {
      "resume.cursor": /the backlog above 0 of 4/,
      "resume.broken-off": /the entries that the reader has in the end/,
    },
  },
  {
    what: "has no backlog",
    tampering: () => ({
      down: () => {
        let isLive = false;
        return (event) => {
          isLive ||= event.kind?.$case === "caughtUp";
          return isLive || event.kind?.$case === "welcome" ? [event] : [];
        };
      },
    }),
    detectedBy: {
      "resume.without-cursor": /the seqs in the backlog/,
      "ack.means-stored": /the backlog right after an Ack/,
      "markers.at-start": /MarkersMoved before CaughtUp/,
    },
  },
  {
    what: "drops gaps",
    tampering: () => ({ down: without("gap") }),
    detectedBy: { "resume.gap": /the first item: gap/ },
  },
  {
    what: "leaves out hidden entries without Omitted",
    tampering: () => ({
      down: without("omitted"),
      unary: answering({
        ListMessages: changed(ListMessagesResponse, (page) => ({
          ...page,
          items: page.items.filter(({ item }) => item?.$case !== "omitted"),
        })),
      }),
    }),
    detectedBy: {
      "resume.omitted": /the seqs in the backlog/,
      "broadcast.reach": /the history of the user who was offline: \[ 'omitted/,
      "block.hides": /the blocker's history during the block/,
      "block.broadcasts": /the items that the blocker received/,
    },
  },
  {
    what: "loses every hundredth entry",
    tampering: () => ({
      down: () => (event) =>
        event.kind?.$case === "entryAppended" && (event.kind.value.entry?.seq ?? 1n) % 100n === 0n
          ? []
          : [event],
    }),
    detectedBy: {
      "slow-reader": /every seq, once and in order/,
      "resume.gap": /every seq above the cursor, once/,
    },
  },
];

/** Sends every n-th entry after the entry that follows it. */
function lateEntries(n: bigint): NonNullable<Tampering["down"]> {
  return late(
    (event: Event) => event.kind?.$case === "entryAppended" && (event.kind.value.entry?.seq ?? 1n) % n === 0n,
  );
}

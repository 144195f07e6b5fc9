// Servers that are wrong about the log: its order, what an Ack stands for, resume, and the history.
import {
  type Hello,
  SendMessageRequest,
  SendMessageResponse,
} from "../../../gen/parley/chat/v1/chat_service.ts";
import type { Event } from "../../../gen/parley/chat/v1/event.ts";
import { ListMessagesRequest, ListMessagesResponse } from "../../../gen/parley/chat/v1/history_service.ts";
import type { Tampering } from "../tampering-proxy.ts";
import { answering, asked, type Break, changed, forgiving, late, without } from "./break.ts";

const ignoresCursors = (hello: Hello): Hello => ({ ...hello, cursors: [] });

export const logBreaks: readonly Break[] = [
  {
    what: "shows the newest entry in the history a moment late",
    tampering: () => ({
      unary: answering({
        ListMessages: changed(ListMessagesResponse, (page) => ({ ...page, items: page.items.slice(0, -1) })),
      }),
    }),
    noticedBy: {
      "ack.means-stored": /ListMessages right after an Ack/,
      "history.pages": /the seqs of all pages/,
      "once.per-device": /the log/,
      "order.same-for-all": /the history once all are acked/,
    },
  },
  {
    what: "drops acks",
    tampering: () => ({ down: without("ack") }),
    noticedBy: {
      "ack.means-stored": /the answer to the send.*an Ack.*nothing within/,
      "order.of-commands": /an Ack.*nothing within/,
      "once.repeated": /an Ack.*nothing within/,
    },
  },
  {
    what: "loses frames that come together",
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
    noticedBy: { "order.one-piece": /forty frames in one piece.*nothing within/ },
  },
  {
    what: "sends acks when it has the time",
    tampering: () => ({ down: late((event) => event.kind?.$case === "ack") }),
    noticedBy: { "ack.in-place": /the sender's stream: every seq once, in order/ },
  },
  {
    what: "sends the entry besides the Ack",
    tampering: () => ({
      down: () => (event) => {
        if (event.kind?.$case !== "ack") return [event];
        const { conversationId, seq, sendTime } = event.kind.value;
        const nobody = { kind: 0 as const, sender: undefined, recipient: undefined, content: undefined };
        const entry = { conversationId, seq, sendTime, ...nobody };
        return [event, { kind: { $case: "entryAppended", value: { entry } } }];
      },
    }),
    noticedBy: {
      "ack.in-place": /the sender's stream: every seq once/,
      "broadcast.reach": /the author's own stream/,
    },
  },
  {
    what: "reorders entries",
    tampering: () => ({ down: lateEntries(3n) }),
    noticedBy: {
      "order.of-commands": /what the recipient is told/,
      "order.same-for-all": /held against the history/,
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
    noticedBy: {
      "once.repeated": /the second SendMessage: .*repeatedSend: true.*repeatedSend: false/,
      "once.reused": /another content: CLIENT_MESSAGE_ID_REUSED.*no refusal/,
      "once.ids": /the id 2\^63: INVALID_FIELD.*no refusal/,
    },
  },
  {
    what: "sets ids that are a client's",
    tampering: () => ({
      unary: answering({
        SendMessage: changed(SendMessageResponse, ({ ack }) => ({
          ack: ack && { ...ack, clientMessageId: ack.clientMessageId % 2n ** 63n },
        })),
      }),
    }),
    noticedBy: { "once.ids": /an id set by the server: 2\^63 or above/ },
  },
  {
    what: "takes page sizes as they come",
    tampering: () => ({
      unary: answering({
        ListMessages: asked(ListMessagesRequest, (request) => ({
          ...request,
          pageSize: request.pageSize || 10,
        })),
      }),
    }),
    noticedBy: { "history.page-size": /a page of the default size: 100 entries.*came 10/ },
  },
  {
    what: "takes any page token",
    tampering: () => ({ unary: answering({ ListMessages: forgiving("PAGE_TOKEN_INVALID") }) }),
    noticedBy: { "history.page-token": /a token with another range: PAGE_TOKEN_INVALID.*no refusal/ },
  },
  {
    what: "shows logs to others",
    tampering: () => ({ unary: answering({ ListMessages: forgiving("CONVERSATION_NOT_FOUND") }) }),
    noticedBy: { "history.others": /another's log: CONVERSATION_NOT_FOUND.*no refusal/ },
  },
  {
    what: "ignores cursors",
    tampering: () => ({ hello: ignoresCursors }),
    noticedBy: {
      "resume.cursor": /the backlog above 0 of 4/,
      "resume.refused-cursors": /a cursor beyond the head: CURSOR_BEYOND_HEAD|its end as .*nothing within/,
      "limits.cursors": /its end as .*nothing within/,
      "twins.same-endings": /its end as .*nothing within/,
    },
  },
  {
    what: "begins at a cursor rather than after it",
    tampering: () => ({
      hello: (hello) => ({
        ...hello,
        cursors: hello.cursors.map((one) => ({ ...one, seq: one.seq > 0n ? one.seq - 1n : 0n })),
      }),
    }),
    noticedBy: {
      "resume.cursor": /the backlog above 0 of 4/,
      "resume.broken-off": /what the reader holds in the end/,
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
    noticedBy: {
      "resume.without-cursor": /the seqs in the backlog/,
      "ack.means-stored": /the backlog right after an Ack/,
      "markers.at-start": /MarkersMoved before CaughtUp/,
    },
  },
  {
    what: "swallows gaps",
    tampering: () => ({ down: without("gap") }),
    noticedBy: { "resume.gap": /the first that is named: gap/ },
  },
  {
    what: "leaves out in silence what may not be seen",
    tampering: () => ({
      down: without("omitted"),
      unary: answering({
        ListMessages: changed(ListMessagesResponse, (page) => ({
          ...page,
          items: page.items.filter(({ item }) => item?.$case !== "omitted"),
        })),
      }),
    }),
    noticedBy: {
      "resume.omitted": /the seqs in the backlog/,
      "broadcast.reach": /the history of who was away: \[ 'omitted/,
      "block.hides": /the blocker's history while it stands/,
      "block.broadcasts": /what the blocker is told/,
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
    noticedBy: {
      "slow-reader": /every seq, once and in order/,
      "resume.gap": /every seq above the cursor, once/,
    },
  },
];

/** Every so many-th entry comes after the one that follows it. */
function lateEntries(each: bigint): NonNullable<Tampering["down"]> {
  return late(
    (event: Event) =>
      event.kind?.$case === "entryAppended" && (event.kind.value.entry?.seq ?? 1n) % each === 0n,
  );
}

// Faults of servers in markers, typing, presence and blocks, and differences between Connect and the unary twins.
import { LogInResponse } from "../../../gen/parley/chat/v1/auth_service.ts";
import { BlockUserRequest, BlockUserResponse } from "../../../gen/parley/chat/v1/block_service.ts";
import { SetMarkersRequest, SetTypingRequest } from "../../../gen/parley/chat/v1/chat_service.ts";
import { ListConversationsResponse } from "../../../gen/parley/chat/v1/history_service.ts";
import type { User } from "../../../gen/parley/chat/v1/user.ts";
import type { Tampering, UnaryCall } from "../tampering-proxy.ts";
import { answering, asked, changed, type Fault, nothing, without } from "./fault.ts";

export const peopleFaults: readonly Fault[] = [
  {
    what: "sends no markers",
    tampering: () => ({ down: without("markersMoved") }),
    detectedBy: {
      "markers.told": /MarkersMoved for the other user.*nothing within/,
      "markers.at-start": /MarkersMoved before CaughtUp/,
    },
  },
  {
    what: "sends markers to all users",
    tampering: () =>
      withUsers((user, call) => {
        if (call.name !== "SetMarkers") return;
        for (const { conversationId, deliveredSeq, readSeq } of SetMarkersRequest.decode(call.request)
          .markers) {
          const times = { deliveredTime: undefined, readTime: undefined };
          const value = { conversationId, user, deliveredSeq, readSeq, undelivered: [], ...times };
          call.proxy.sendToAll({ kind: { $case: "markersMoved", value } });
        }
      }),
    detectedBy: {
      "markers.of-broadcasts": /the markers that another user received/,
      "block.typing-and-markers": /MarkersMoved during the block/,
    },
  },
  {
    what: "looks at the first marker of a call only",
    tampering: () => ({
      unary: answering({
        SetMarkers: asked(SetMarkersRequest, ({ markers }) => ({ markers: markers.slice(0, 1) })),
      }),
    }),
    detectedBy: { "markers.in-a-call": /the fields of the refusal/ },
  },
  {
    what: "does not store the times of markers",
    tampering: () => ({
      unary: answering({
        ListConversations: changed(ListConversationsResponse, (page) => ({
          ...page,
          conversations: page.conversations.map(({ marker, ...rest }) => ({
            ...rest,
            marker: marker && { ...marker, deliveredTime: undefined },
          })),
        })),
      }),
    }),
    detectedBy: { "markers.times": /Marker\.delivered_time/ },
  },
  {
    what: "drops all markers if one is invalid",
    tampering: () => ({
      up: () => (frame, commands) => {
        const kind = commands[0]?.kind;
        if (kind?.$case !== "setMarkers" || kind.value.markers.length < 2) return [frame];
        return [[{ kind: { ...kind, value: { markers: kind.value.markers.slice(0, 1) } } }]];
      },
    }),
    detectedBy: { "markers.on-a-stream": /the delivered_seq of the valid marker/ },
  },
  {
    what: "sends typing to all users",
    tampering: () =>
      withUsers((user, call) => {
        if (call.name !== "SetTyping") return;
        const { typing } = SetTypingRequest.decode(call.request);
        call.proxy.sendToAll({
          kind: { $case: "typingChanged", value: { conversationId: "", user, typing } },
        });
      }),
    detectedBy: {
      "typing.told": /TypingChanged: |TypingChanged\.typing|the typing that a third user received/,
      "block.typing-and-markers": /the typing that was received/,
    },
  },
  {
    what: "sends no presence",
    tampering: () => ({ down: without("presenceChanged") }),
    detectedBy: {
      "presence.come-and-go": /PresenceChanged\.came_online with .*nothing within/,
      "twins.same-events": /PresenceChanged\.came_online with .*nothing within/,
    },
  },
  {
    what: "shows a user as offline after the log-out of the first session",
    tampering: () =>
      withUsers((user, call) => {
        if (call.name !== "LogOut" || user === undefined) return;
        const value = { cameOnline: [], wentOffline: [user] };
        call.proxy.sendToAll({ kind: { $case: "presenceChanged", value } });
      }),
    detectedBy: { "presence.devices": /the presence after the end of one of two sessions/ },
  },
  {
    what: "ignores blocks",
    tampering: () => ({
      unary: answering({
        BlockUser: (call) => {
          const user = { userId: "u1", username: BlockUserRequest.decode(call.request).username };
          const answer = BlockUserResponse.encode({ block: { user, createTime: new Date() } }).finish();
          return Promise.resolve(answer);
        },
        UnblockUser: nothing,
      }),
    }),
    detectedBy: {
      "block.send": /a send by name: BLOCKED_BY_RECIPIENT.*no refusal/,
      "block.hides": /the blocker's history during the block/,
      "block.broadcasts": /Ack\.withheld during the block: true/,
      "block.presence": /whether ListUsers has the blocker: false/,
      "block.typing-and-markers": /the typing that was received|MarkersMoved during the block/,
      "block.refusals": /a second block: ALREADY_BLOCKED.*no refusal/,
    },
  },
  {
    what: "leaves a blocker online for the blocked user",
    tampering: () => ({
      down: () => (event) =>
        event.kind?.$case === "presenceChanged" && event.kind.value.wentOffline.length > 0 ? [] : [event],
    }),
    detectedBy: { "block.silent": /PresenceChanged\.went_offline with .*nothing within/ },
  },
  {
    what: "ignores Leave on a stream",
    tampering: () => ({
      up: () => (frame, commands) => {
        const others = commands.filter(({ kind }) => kind?.$case !== "leave");
        return others.length === commands.length ? [frame] : [others];
      },
    }),
    detectedBy: {
      "presence.leave": /the end of a stream: its end as OK.*nothing within/,
    },
  },
  {
    what: "ignores Leave as a call",
    tampering: () => ({ unary: answering({ Leave: nothing }) }),
    detectedBy: { "presence.leave": /the end of a stream: its end as OK.*nothing within/ },
  },
  {
    what: "sends no typing on Follow",
    tampering: () => ({
      down: (stream) => (event) =>
        stream.method === "follow" && event.kind?.$case === "typingChanged" ? [] : [event],
    }),
    detectedBy: { "twins.same-events": /all events.*nothing within/ },
  },
  {
    what: "ignores the cursors of Follow",
    tampering: () => ({
      hello: (hello, method) => (method === "follow" ? { ...hello, cursors: [] } : hello),
    }),
    detectedBy: {
      "twins.same-events": /the events of Follow, compared with Connect/,
      "twins.same-endings": /its end as .*nothing within/,
    },
  },
  {
    what: "ignores a unary twin",
    tampering: () => ({ unary: answering({ SetTyping: nothing }) }),
    detectedBy: {
      "twins.same-effects": /the marker and the typing of a call.*nothing within/,
      "typing.told": /typing by a call.*nothing within/,
    },
  },
];

/** Calls `watch` for each unary call, with its user. */
function withUsers(watch: (user: User | undefined, call: UnaryCall) => void): Tampering {
  const users = new Map<string, User>();
  const logIn = changed(LogInResponse, (response) => {
    const { token = "", user } = response.grant ?? {};
    if (user !== undefined) users.set(`Bearer ${token}`, user);
    return response;
  });
  return {
    unary: (call) => {
      if (call.name === "LogIn") return logIn(call);
      watch(users.get(call.token), call);
      return call.forward();
    },
  };
}

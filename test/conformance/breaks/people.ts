// Servers that are wrong about who is told what: markers, typing, presence and blocks; and those whose doors differ.
import { LogInResponse } from "../../../gen/parley/chat/v1/auth_service.ts";
import { BlockUserRequest, BlockUserResponse } from "../../../gen/parley/chat/v1/block_service.ts";
import { SetMarkersRequest, SetTypingRequest } from "../../../gen/parley/chat/v1/chat_service.ts";
import type { User } from "../../../gen/parley/chat/v1/user.ts";
import type { Tampering, UnaryCall } from "../tampering-proxy.ts";
import { answering, type Break, changed, nothing, without } from "./break.ts";

export const peopleBreaks: readonly Break[] = [
  {
    what: "tells nobody of markers",
    tampering: () => ({ down: without("markersMoved") }),
    noticedBy: {
      "markers.told": /MarkersMoved for the other user.*nothing within/,
      "markers.at-start": /MarkersMoved before CaughtUp/,
    },
  },
  {
    what: "tells everyone of markers",
    tampering: () =>
      withUsers((user, call) => {
        if (call.name !== "SetMarkers") return;
        for (const { conversationId, deliveredSeq, readSeq } of SetMarkersRequest.decode(call.request)
          .markers) {
          const value = { conversationId, user, deliveredSeq, readSeq, undelivered: [] };
          call.proxy.tellAll({ kind: { $case: "markersMoved", value } });
        }
      }),
    noticedBy: {
      "markers.of-broadcasts": /what another user is told/,
      "block.typing-and-markers": /MarkersMoved while the block stands/,
    },
  },
  {
    what: "drops all markers where one is wrong",
    tampering: () => ({
      up: () => (frame, commands) => {
        const kind = commands[0]?.kind;
        if (kind?.$case !== "setMarkers" || kind.value.markers.length < 2) return [frame];
        return [[{ kind: { ...kind, value: { markers: kind.value.markers.slice(0, 1) } } }]];
      },
    }),
    noticedBy: { "markers.on-a-stream": /the delivered_seq of the other one/ },
  },
  {
    what: "tells everyone who types",
    tampering: () =>
      withUsers((user, call) => {
        if (call.name !== "SetTyping") return;
        const { typing } = SetTypingRequest.decode(call.request);
        call.proxy.tellAll({ kind: { $case: "typingChanged", value: { conversationId: "", user, typing } } });
      }),
    noticedBy: {
      "typing.told": /TypingChanged: |TypingChanged\.typing|what a third user is told/,
      "block.typing-and-markers": /typing that was told/,
    },
  },
  {
    what: "tells nobody who comes and goes",
    tampering: () => ({ down: without("presenceChanged") }),
    noticedBy: {
      "presence.come-and-go": /PresenceChanged\.came_online with .*nothing within/,
      "twins.same-events": /PresenceChanged\.came_online with .*nothing within/,
    },
  },
  {
    what: "takes a user for gone with the first session that logs out",
    tampering: () =>
      withUsers((user, call) => {
        if (call.name !== "LogOut" || user === undefined) return;
        const value = { cameOnline: [], wentOffline: [user] };
        call.proxy.tellAll({ kind: { $case: "presenceChanged", value } });
      }),
    noticedBy: { "presence.devices": /what is told when one of two sessions ends/ },
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
    noticedBy: {
      "block.send": /a send by name: BLOCKED_BY_RECIPIENT.*no refusal/,
      "block.hides": /the blocker's history while it stands/,
      "block.broadcasts": /Ack\.withheld while a blocker is online: true/,
      "block.presence": /whether ListUsers has the blocker: false/,
      "block.typing-and-markers": /typing that was told|MarkersMoved while the block stands/,
      "block.refusals": /a second block: ALREADY_BLOCKED.*no refusal/,
    },
  },
  {
    what: "shows a blocker as gone",
    tampering: () =>
      withUsers((user, call) => {
        if (call.name !== "BlockUser" || user === undefined) return;
        const value = { cameOnline: [], wentOffline: [user] };
        call.proxy.tellAll({ kind: { $case: "presenceChanged", value } });
      }),
    noticedBy: { "block.silent": /whether the blocker is told to have gone: false/ },
  },
  {
    what: "follows without typing",
    tampering: () => ({
      down: (stream) => (event) =>
        stream.method === "follow" && event.kind?.$case === "typingChanged" ? [] : [event],
    }),
    noticedBy: { "twins.same-events": /all that happened.*nothing within/ },
  },
  {
    what: "follows from its own cursors",
    tampering: () => ({
      hello: (hello, method) => (method === "follow" ? { ...hello, cursors: [] } : hello),
    }),
    noticedBy: {
      "twins.same-events": /what Follow is told, held against Connect/,
      "twins.same-endings": /its end as .*nothing within/,
    },
  },
  {
    what: "has a twin that does nothing",
    tampering: () => ({ unary: answering({ SetTyping: nothing }) }),
    noticedBy: {
      "twins.same-effects": /the marker and the typing of a call.*nothing within/,
      "typing.told": /typing by a call.*nothing within/,
    },
  },
];

/** Watches unary calls, and knows whose they are. */
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

// Faults of servers in what a client can find out: about the server, about users, and about one conversation.
import { SendMessageRequest } from "../../../gen/parley/chat/v1/chat_service.ts";
import {
  GetUserResponse,
  SearchUsersRequest,
  SearchUsersResponse,
} from "../../../gen/parley/chat/v1/directory_service.ts";
import { GetConversationResponse, ListMessagesRequest } from "../../../gen/parley/chat/v1/history_service.ts";
import { GetServerInfoResponse } from "../../../gen/parley/chat/v1/server_service.ts";
import { answering, asked, changed, type Fault, forgiving } from "./fault.ts";

export const findingFaults: readonly Fault[] = [
  {
    what: "announces other limits before the log-in",
    tampering: () => ({
      unary: answering({
        GetServerInfo: changed(GetServerInfoResponse, (info) => ({ ...info, limits: undefined })),
      }),
    }),
    detectedBy: { "find.server": /GetServerInfoResponse\.limits/ },
  },
  {
    what: "shows the presence of a blocker in GetUser",
    tampering: () => ({
      unary: answering({
        GetUser: changed(GetUserResponse, ({ user }) => ({ user: user && { ...user, online: true } })),
      }),
    }),
    detectedBy: { "find.user": /the presence of the user who blocks the caller/ },
  },
  {
    what: "searches for names with regard to case",
    tampering: () => ({
      unary: answering({
        SearchUsers: asked(SearchUsersRequest, (request) => ({
          ...request,
          prefix: /[A-Z]/.test(request.prefix) ? `${request.prefix}?` : request.prefix,
        })),
      }),
    }),
    detectedBy: { "find.search": /the users whose names begin with BEN/ },
  },
  {
    what: "does not find a blocker in SearchUsers",
    tampering: () => {
      let isBlocked = false;
      return {
        unary: answering({
          BlockUser: (call) => {
            isBlocked = true;
            return call.forward();
          },
          SearchUsers: changed(SearchUsersResponse, (found) => (isBlocked ? { ...found, users: [] } : found)),
        }),
      };
    },
    detectedBy: { "find.search": /whether the user who blocks the caller is found/ },
  },
  {
    what: "takes a user id for a name",
    tampering: () => ({
      unary: answering({
        SendMessage: asked(SendMessageRequest, (request) => {
          const named = request.target?.target;
          if (named?.$case !== "userId") return request;
          return { ...request, target: { target: { $case: "username", value: named.value } as const } };
        }),
      }),
    }),
    detectedBy: { "find.target": /USER_NOT_FOUND/ },
  },
  {
    what: "leaves out the markers in GetConversation",
    tampering: () => ({
      unary: answering({
        GetConversation: changed(GetConversationResponse, ({ conversation }) => ({
          conversation: conversation && { ...conversation, peerMarker: undefined },
        })),
      }),
    }),
    detectedBy: { "find.conversation": /the conversation:/ },
  },
  {
    what: "ignores the times of a range",
    tampering: () => ({
      unary: answering({
        ListMessages: asked(ListMessagesRequest, (request) => ({
          ...request,
          fromTime: undefined,
          toTime: undefined,
        })),
      }),
    }),
    detectedBy: { "history.times": /the seqs before the last time/ },
  },
  {
    what: "accepts any range",
    tampering: () => ({ unary: answering({ ListMessages: forgiving("INVALID_FIELD") }) }),
    detectedBy: { "history.refused-ranges": /from_seq 2 to_seq 1: INVALID_FIELD.*no refusal/ },
  },
];

// Checks of what a client can find out: about the server, about users, and about one conversation.
import { DirectoryServiceService, type GetUserRequest } from "../../gen/parley/chat/v1/directory_service.ts";
import { HistoryServiceService, type ListMessagesRequest } from "../../gen/parley/chat/v1/history_service.ts";
import { ServerServiceService } from "../../gen/parley/chat/v1/server_service.ts";
import { toConversation, toUser, toUserId } from "../client/commands.ts";
import { equal, eventually, isTrue, present, Skip } from "../client/expect.ts";
import { namedByHistory, range, seqsOf } from "../client/named.ts";
import { refused } from "../client/reasons.ts";
import type { Session } from "../client/session.ts";
import type { Check } from "./check.ts";

const userIdOf = (session: Session): string => present("Grant.user", session.grant.user).userId;

const getUser = (session: Session, user: GetUserRequest["user"]) =>
  session.call(DirectoryServiceService.getUser, { user, background: false });

const getConversation = (session: Session, target: ReturnType<typeof toUser>) =>
  session.call(HistoryServiceService.getConversation, { target, background: false });

async function search(session: Session, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for (let pageToken = ""; ; ) {
    const request = { prefix, pageSize: 2, pageToken, background: false };
    const page = await session.call(DirectoryServiceService.searchUsers, request);
    isTrue("the users of a page of 2", page.users.length <= 2, "at most 2", page.users.length);
    names.push(...page.users.map(({ username }) => username));
    pageToken = page.nextPageToken;
    if (pageToken === "") return names;
  }
}

export const findingChecks: readonly Check[] = [
  {
    name: "find.server",
    says: "GetServerInfo needs no token, and has the server id and the limits of Welcome",
    contract: "server_service.proto: ServerService.GetServerInfo",
    run: async ({ ann, welcome }) => {
      const info = await ann.callAs(undefined, ServerServiceService.getServerInfo, {});
      equal("GetServerInfoResponse.server_id", info.serverId, welcome.serverId);
      equal("GetServerInfoResponse.limits", info.limits, welcome.limits);
      const missing = welcome.features.filter((feature) => !info.features.includes(feature));
      equal("features of Welcome that GetServerInfo lacks", missing, []);
      isTrue("GetServerInfoResponse.version", info.version !== "", "it to be set", info.version);
      isTrue("GetServerInfoResponse.sign_up", info.signUp !== 0, "it to be set", info.signUp);
      present("GetServerInfoResponse.server_time", info.serverTime);
    },
  },
  {
    name: "find.user",
    says: "GetUser finds a user by name and by id, and tells of a blocker only the name and the id",
    contract: "directory_service.proto: DirectoryService.GetUser",
    run: async ({ ann, ben, patienceMs }) => {
      await ben.connect();
      const user = present("Grant.user", ben.grant.user);
      const byName = { $case: "username", value: ben.username } as const;
      const isOnline = async () => (await getUser(ann, byName)).user?.online;
      await eventually("whether a user with an open stream is online", patienceMs, isOnline, true);
      const byId = await getUser(ann, { $case: "userId", value: user.userId });
      equal("the user with that id", byId.user?.user, user);
      await ben.block(ann);
      const { online, lastOnlineTime } = (await getUser(ann, byName)).user ?? {};
      equal("the presence of the user who blocks the caller", [online, lastOnlineTime], [false, undefined]);
      await ben.unblock(ann);
      const nobody = { $case: "username", value: `${ben.username}${ben.username}` } as const;
      await refused("an unknown name", getUser(ann, nobody), "USER_NOT_FOUND");
      await refused("no user", getUser(ann, undefined), "INVALID_FIELD");
    },
  },
  {
    name: "find.search",
    says: "SearchUsers finds users by the beginning of their names, apart from case, also a blocker, but not the caller",
    contract: "directory_service.proto: DirectoryService.SearchUsers",
    run: async ({ ann, ben }) => {
      for (const prefix of [ben.username, ben.username.toUpperCase(), ben.username.slice(0, -1)]) {
        const found = await search(ann, prefix);
        isTrue(
          `the users whose names begin with ${prefix}`,
          found.includes(ben.username),
          ben.username,
          found,
        );
        equal("users that came twice", found.length - new Set(found).size, 0);
      }
      equal("whether the caller is found", (await search(ann, ann.username)).includes(ann.username), false);
      await ben.block(ann);
      const found = await search(ann, ben.username);
      equal("whether the user who blocks the caller is found", found.includes(ben.username), true);
      await ben.unblock(ann);
      await refused("an empty beginning", search(ann, ""), "INVALID_FIELD");
    },
  },
  {
    name: "find.target",
    says: "a user id is a target like the name of the user",
    contract: "chat_service.proto: Target.user_id",
    run: async ({ ann, ben }) => {
      const byName = await ann.send(ben, "by name");
      const byId = await ann.sendTo(toUserId(userIdOf(ben)), "by id");
      equal("the conversation of a send by user id", byId.conversationId, byName.conversationId);
      const own = ann.sendTo(toUserId(userIdOf(ann)), "to myself");
      await refused("a send to the caller's own id", own, "RECIPIENT_IS_SELF");
      await refused("a send to an unknown id", ann.sendTo(toUserId("nobody"), "hello"), "USER_NOT_FOUND");
    },
  },
  {
    name: "find.conversation",
    says: "GetConversation returns the conversation as ListConversations does, to those who are in it",
    contract: "history_service.proto: HistoryService.GetConversation",
    run: async ({ ann, ben, cat, welcome }) => {
      const { conversationId } = await ann.send(ben, "hello");
      const listed = await ann.conversation(conversationId);
      for (const target of [toUser(ben.username), toConversation(conversationId), toUserId(userIdOf(ben))]) {
        equal("the conversation", (await getConversation(ann, target)).conversation, listed);
      }
      const broadcasts = await getConversation(ann, toConversation(welcome.broadcastConversationId));
      equal("the broadcast conversation", broadcasts.conversation?.kind, 2);
      const others = getConversation(cat, toConversation(conversationId));
      await refused("the conversation of other users", others, "CONVERSATION_NOT_FOUND");
    },
  },
  {
    name: "history.times",
    says: "ListMessages lists the entries from one time until before another",
    contract: "history_service.proto: ListMessagesRequest.from_time",
    run: async ({ ann, ben }) => {
      // New ones, because some of the earlier entries may be hidden.
      for (let index = 0; index < 9; index++) await ann.send(ben, "hello");
      const { conversationId, seq } = await ann.send(ben, "hello");
      const { items } = await ben.listMessages(toConversation(conversationId), { fromSeq: seq - 9n });
      const times = items.flatMap(({ item }) =>
        item?.$case === "entry" ? present("Entry.send_time", item.value.sendTime).getTime() : [],
      );
      const sorted = times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0));
      equal("the entries of the last ten seqs", times.length, 10);
      // The contract allows more than one answer then.
      if (!sorted) throw new Skip("the clock of the server was set back during the check");
      const [first = 0, last = 0] = [times[0], times.at(-1)];
      const listed = async (asked: Partial<ListMessagesRequest>): Promise<bigint[]> => {
        const page = await ben.listMessages(toConversation(conversationId), { pageSize: 500, ...asked });
        return seqsOf(namedByHistory(page.items));
      };
      const before = times.filter((time) => time < last).length;
      const fromSeq = seq - 9n;
      const until = await listed({ fromSeq, toTime: new Date(last) });
      equal("the seqs before the last time", until, range(fromSeq, fromSeq + BigInt(before) - 1n));
      const after = await listed({ fromTime: new Date(last) });
      equal("the seqs from the last time on", after, range(fromSeq + BigInt(before), seq));
      const all = await listed({ fromSeq, fromTime: new Date(first), toTime: new Date(last + 1) });
      equal("the seqs of the whole time", all, range(fromSeq, seq));
    },
  },
  {
    name: "history.refused-ranges",
    says: "a range that ends before it begins, and an unknown order, are refused as INVALID_FIELD",
    contract: "history_service.proto: ListMessagesRequest.to_seq",
    run: async ({ ann, ben }) => {
      await ann.send(ben, "hello");
      const list = (asked: Partial<ListMessagesRequest>) => ann.listMessages(toUser(ben.username), asked);
      await refused("from_seq 2 to_seq 1", list({ fromSeq: 2n, toSeq: 1n }), "INVALID_FIELD");
      const times = { fromTime: new Date(2_000), toTime: new Date(1_000) };
      await refused("a range of times that ends before it begins", list(times), "INVALID_FIELD");
      await refused("an unknown order", list({ order: 99 as never }), "INVALID_FIELD");
    },
  },
];

// What conversation ids stand for on one server: names, which are the same on another.
import type { Command } from "../../../gen/parley/chat/v1/chat_service.ts";
import { ConversationKind } from "../../../gen/parley/chat/v1/conversation.ts";
import type { Entry } from "../../../gen/parley/chat/v1/entry.ts";
import type { KnownConversation } from "../../../gen/parley/record/v1/recording.ts";
import type { Account } from "../../link/server/account.ts";

/** How the broadcast conversation is called here: no user is called so. */
export const everyone = "";

/** The user's conversations with their heads, as they are now. @throws RpcError, ConnectError */
export async function knownConversations(account: Account): Promise<KnownConversation[]> {
  const known: KnownConversation[] = [];
  for await (const { conversationId, kind, peer, headSeq } of account.listConversations({
    background: true,
  })) {
    if (kind === ConversationKind.BROADCAST) known.push({ conversationId, username: everyone, headSeq });
    else if (peer !== undefined) known.push({ conversationId, username: peer.username, headSeq });
  }
  return known;
}

/** Both ways between ids and names, with the heads of the beginning. What is new is learned from what comes. */
export class ConversationNames {
  readonly #names = new Map<string, string>();
  readonly #ids = new Map<string, string>();
  readonly #heads = new Map<string, bigint>();
  readonly #me: string;

  constructor(me: string, known: readonly KnownConversation[]) {
    this.#me = me;
    for (const { conversationId, username, headSeq } of known) {
      this.learn(conversationId, username);
      this.#heads.set(username, headSeq);
    }
  }

  learn(conversationId: string, name: string): void {
    this.#names.set(conversationId, name);
    this.#ids.set(name, conversationId);
  }

  learnFrom({ conversationId, kind, sender, recipient }: Entry): void {
    const peer = sender?.username === this.#me ? recipient : sender;
    if (kind === ConversationKind.BROADCAST) this.learn(conversationId, everyone);
    else if (peer !== undefined) this.learn(conversationId, peer.username);
  }

  /** Undefined where nothing was heard of it. */
  nameOf(conversationId: string): string | undefined {
    return this.#names.get(conversationId);
  }

  /** Undefined where there is none of that name, yet. */
  idOf(name: string): string | undefined {
    return this.#ids.get(name);
  }

  /** The names of those that there were at the beginning. */
  get known(): string[] {
    return [...this.#heads.keys()];
  }

  /** The newest seq at the beginning; 0 where the conversation began later. */
  headOf(name: string): bigint {
    return this.#heads.get(name) ?? 0n;
  }
}

/** Where a send goes, by name; undefined for what is no send, or goes where nothing is known of. */
export function targetOf({ kind }: Command, conversations: ConversationNames): string | undefined {
  if (kind?.$case === "broadcast") return everyone;
  if (kind?.$case !== "sendMessage") return undefined;
  const target = kind.value.target?.target;
  return target?.$case === "conversationId" ? conversations.nameOf(target.value) : target?.value;
}

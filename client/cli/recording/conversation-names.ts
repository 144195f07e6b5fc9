// The conversations of one server by name. The names are the same on every server, but the ids are not.
import type { Command } from "../../../gen/parley/chat/v1/chat_service.ts";
import { ConversationKind } from "../../../gen/parley/chat/v1/conversation.ts";
import type { Entry } from "../../../gen/parley/chat/v1/entry.ts";
import type { KnownConversation } from "../../../gen/parley/record/v1/recording.ts";
import type { Account } from "../../link/server/account.ts";

/** The name of the broadcast conversation. No user has an empty name. */
export const everyone = "";

/** The user's conversations and their current heads. @throws RpcError, ConnectError */
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

/** Maps ids to names and names to ids, with the heads at the start. New conversations are learned from events. */
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

  /** Undefined for an unknown id. */
  nameOf(conversationId: string): string | undefined {
    return this.#names.get(conversationId);
  }

  /** Undefined for an unknown name. */
  idOf(name: string): string | undefined {
    return this.#ids.get(name);
  }

  /** The names of the conversations that existed at the start. */
  get known(): string[] {
    return [...this.#heads.keys()];
  }

  /** The newest seq at the start; 0 for a conversation that began later. */
  headOf(name: string): bigint {
    return this.#heads.get(name) ?? 0n;
  }
}

/** The name of a send's conversation; undefined for other commands and unknown ids. */
export function targetOf({ kind }: Command, conversations: ConversationNames): string | undefined {
  if (kind?.$case === "broadcast") return everyone;
  if (kind?.$case !== "sendMessage") return undefined;
  const target = kind.value.target?.target;
  return target?.$case === "conversationId" ? conversations.nameOf(target.value) : target?.value;
}

// The open private chats of a device: opens each over an established stream, runs it, and reports its end.
import { type Ending, Reason } from "../../../gen/parley/peer/v1/peer_service.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { refusal } from "../conversation/refusals.ts";
import { type KeyCheck, remembered } from "../keys/contacts.ts";
import type { OpenChatInfo } from "./chat-locations.ts";
import type { PrivateChatContext } from "./context.ts";
import { OpenChat } from "./open-chat.ts";
import type { EstablishedChat } from "./outgoing-request.ts";

export class ActiveChats {
  readonly #context: PrivateChatContext;
  readonly #onChange: () => void;
  readonly #byUsername = new Map<string, OpenChat>();

  /** @param onChange called when a chat has opened or ended */
  constructor(context: PrivateChatContext, onChange: () => void) {
    this.#context = context;
    this.#onChange = onChange;
  }

  get(username: string): OpenChat | undefined {
    return this.#byUsername.get(username);
  }

  /** The chats in which lines can still be sent. */
  get list(): OpenChatInfo[] {
    const open = [...this.#byUsername].filter(([, { isOver }]) => !isOver);
    return open.map(([username, { path, peer }]) => ({ username, path, peer }));
  }

  /** The ids of the users with whom chats are open. */
  get userIds(): string[] {
    return [...this.#byUsername.values()].map(({ peer }) => peer.userId);
  }

  /**
   * Runs a chat from its start to its end.
   * @param outgoing whether this device requested the chat
   * @param queued lines to send first
   * @throws RpcError, KeyProblemError if the chat does not start; nothing was sent then
   */
  async run(established: EstablishedChat, outgoing: boolean, queued: readonly string[]): Promise<void> {
    const { peer, path } = established;
    const { username } = peer;
    const { emit } = this.#context.parts;
    const { keyCheck, holds } = await this.#admit(established, outgoing);
    const chat = new OpenChat(this.#context, established);
    this.#byUsername.set(username, chat);
    this.#onChange();
    // Nothing may be awaited before `chat.run` has sent the queued lines: another line, or the end of the chat, could
    // come first.
    void emit({ type: "opened", username, path, outgoing, peer, keyCheck, holds });
    const ended = await chat.run(queued);
    this.#byUsername.delete(username);
    this.#onChange();
    const room = emit(ended);
    chat.reported();
    await room;
  }

  /** Ends every chat. Resolves to the chats when all of them have ended. */
  async end(ending: Ending): Promise<readonly OpenChat[]> {
    const open = [...this.#byUsername.values()];
    await Promise.all(open.map((chat) => chat.end(ending)));
    return open;
  }

  /** Checks that the chat may start, and stores the contact. @throws RpcError, KeyProblemError */
  async #admit(
    { peer, stream }: EstablishedChat,
    outgoing: boolean,
  ): Promise<{ keyCheck: KeyCheck; holds: boolean }> {
    const { username } = peer;
    const { closing, contacts } = this.#context.parts;
    try {
      // A peer that requests a new chat has lost the previous one, even if its end has not been noticed here yet.
      if (!outgoing) await this.#byUsername.get(username)?.drop();
      if (closing.aborted || this.#byUsername.has(username))
        throw refusal(Reason.PEER_GONE, "This device cannot open a private chat now.");
      // The keys are checked again, because a person may have verified another key since the request was accepted.
      const keyCheck = this.#context.admit(peer);
      // A changed key is stored when a person has accepted it. Until then own lines wait.
      const holds = this.#context.holdsLines(peer);
      if (!holds) contacts.save(remembered(contacts.get(username), peer, new Date()));
      return { keyCheck, holds };
    } catch (error) {
      stream.abort(
        error instanceof RpcError ? error : refusal(Reason.PEER_GONE, "The other device hung up."),
      );
      throw error;
    }
  }
}

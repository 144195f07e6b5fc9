// Who was told yes and has not come yet, one for each user.
import { type IntroductionClosed, IntroductionOutcome } from "../../gen/parley/chat/v1/event.ts";
import { ConnectError } from "../../rpc/connect-error.ts";
import { type Asked, Coming } from "./answering.ts";
import type { Begun } from "./asking.ts";
import { NotSaidError } from "./conversation.ts";
import { asError, type Desk } from "./desk.ts";

/** Who may be awaited at once: more than a server lets ask, and each has a timer and half a relay. */
const MOST_COMING = 64;

export interface ComingsOwner {
  /** Has the conversation, with what is to be said first; it is over when this resolves, and did not begin where it rejects. */
  converse(begun: Begun, held: readonly string[]): Promise<void>;
  /** Nothing comes of what was agreed on. */
  failed(introductionId: string): void;
}

export class Comings {
  readonly #desk: Desk;
  readonly #owner: ComingsOwner;
  readonly #byUsername = new Map<string, Coming>();

  constructor(desk: Desk, owner: ComingsOwner) {
    this.#desk = desk;
    this.#owner = owner;
  }

  get usernames(): readonly string[] {
    return [...this.#byUsername.keys()];
  }

  get(username: string): Coming | undefined {
    return this.#byUsername.get(username);
  }

  /** Says yes, and waits for that one to come. @throws RpcError, ConnectError, NotSaidError where too many are awaited */
  async accept(asked: Asked): Promise<void> {
    const { peer, introductionId } = asked;
    const { username } = peer;
    if (this.#byUsername.size >= MOST_COMING && this.get(username) === undefined)
      throw new NotSaidError("Too many private chats are about to open. Wait a moment.");
    const fail = ({ held }: Coming, error: Error): void => {
      this.#owner.failed(introductionId);
      void this.#desk.parts.emit({ type: "failed", username, error, held: held.texts });
    };
    const coming = new Coming(this.#desk, asked, {
      converse: async (come, stream, path) => {
        this.#forget(come);
        try {
          await this.#owner.converse({ peer, stream, path }, come.held.texts);
        } catch (error) {
          fail(come, asError(error));
        }
      },
      failed: (come, error) => {
        this.#forget(come);
        fail(come, error);
      },
    });
    // Whoever asks anew has given up what was before.
    const before = this.get(username);
    before?.end();
    for (const text of before?.held.texts ?? []) coming.held.hold(text);
    this.#byUsername.set(username, coming);
    try {
      await coming.accept();
    } catch (error) {
      this.#forget(coming);
      const held = coming.held.texts;
      if (held.length > 0)
        await this.#desk.parts.emit({ type: "failed", username, error: asError(error), held });
      throw error;
    }
  }

  /** What was answered yes came to nothing at the other end. */
  closed({ introductionId, outcome }: IntroductionClosed): void {
    if (outcome !== IntroductionOutcome.FAILED) return;
    for (const coming of [...this.#byUsername.values()]) {
      if (coming.asked.introductionId !== introductionId) continue;
      const message = `It came to nothing on the side of ${coming.asked.peer.username}.`;
      coming.fail(new ConnectError({ kind: "unreachable", message }));
    }
  }

  #forget(coming: Coming): void {
    const { username } = coming.asked.peer;
    if (this.#byUsername.get(username) === coming) this.#byUsername.delete(username);
  }
}

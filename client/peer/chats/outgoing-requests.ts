// The requests for a private chat that this device has sent and that are not answered yet, one for each user.
import { NotSentError } from "../conversation/line-rules.ts";
import type { ActiveChats } from "./active-chats.ts";
import { asError, type PrivateChatContext } from "./context.ts";
import type { OpenChatReports } from "./open-chat-reports.ts";
import { OutgoingRequest } from "./outgoing-request.ts";

export class OutgoingRequests {
  readonly #context: PrivateChatContext;
  readonly #active: ActiveChats;
  readonly #reports: OpenChatReports;
  readonly #byUsername = new Map<string, OutgoingRequest>();

  constructor(context: PrivateChatContext, active: ActiveChats, reports: OpenChatReports) {
    this.#context = context;
    this.#active = active;
    this.#reports = reports;
  }

  get usernames(): readonly string[] {
    return [...this.#byUsername.keys()];
  }

  get(username: string): OutgoingRequest | undefined {
    return this.#byUsername.get(username);
  }

  /**
   * Sends a request. Resolves when the server has asked the user's devices.
   * @throws RpcError, ConnectError, NotSentError
   */
  async start(username: string, direct: boolean): Promise<void> {
    if (this.#byUsername.has(username))
      throw new NotSentError(`You have already requested a private chat with ${username}.`);
    const request = new OutgoingRequest(this.#context, username);
    this.#byUsername.set(username, request);
    try {
      // The server must know that earlier chats have ended.
      await this.#reports.upToDate();
      await request.send(direct);
    } catch (error) {
      this.#byUsername.delete(username);
      if (request.queued.texts.length > 0) await this.#emitFailed(username, request, error);
      throw error;
    }
    void this.#establish(username, request);
  }

  /** Waits for the answer and runs the chat. Never rejects. */
  async #establish(username: string, request: OutgoingRequest): Promise<void> {
    try {
      const established = await request.establish();
      this.#byUsername.delete(username);
      await this.#active.run(established, true, request.queued.texts);
    } catch (error) {
      this.#byUsername.delete(username);
      // After an acceptance the server counts the chat as open until it receives this report.
      this.#reports.report(request.introductionId);
      await this.#emitFailed(username, request, error);
    }
  }

  #emitFailed(username: string, { queued }: OutgoingRequest, error: unknown): Promise<void> {
    const { emit } = this.#context.parts;
    return emit({ type: "failed", username, error: asError(error), queued: queued.texts });
  }
}

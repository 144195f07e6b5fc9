// The private chats of one device: asks and answers, opens conversations, and tells what happens in them.
import { randomBytes } from "node:crypto";
import { Ending, Reason } from "../../gen/parley/peer/v1/peer_service.ts";
import { RpcError } from "../../rpc/status/status.ts";
import type { LinkEvent } from "../link/model/events.ts";
import { EventBuffer } from "../link/receiving/event-buffer.ts";
import { PrivateCalls } from "../link/server/private-chat-calls.ts";
import { after } from "../link/waiting.ts";
import type { OpenChatInfo, OpenElsewhere } from "./chats/chat-locations.ts";
import { asError, type Emit, PrivateChatContext } from "./chats/context.ts";
import type { PrivateEvent, UndeliveredLines } from "./chats/events.ts";
import { type IncomingRequest, IncomingRequests } from "./chats/incoming-requests.ts";
import { OpenChat } from "./chats/open-chat.ts";
import { OpenChatReports } from "./chats/open-chat-reports.ts";
import { type EstablishedChat, OutgoingRequest } from "./chats/outgoing-request.ts";
import { decline } from "./chats/pending-peer.ts";
import { PendingPeers } from "./chats/pending-peers.ts";
import { NotSentError } from "./conversation/private-conversation.ts";
import { refusal } from "./conversation/refusals.ts";
import { accepted, type ContactStore, type KeyCheck, type KeyProblem, remembered } from "./keys/contacts.ts";
import { type OwnNames, ownKeys, type Registered } from "./keys/registration.ts";
import { PeerServer } from "./path/peer-server.ts";
import type { PrivateChatsOptions } from "./private-chats-options.ts";

/** How long a report may take to get there at the end, ms. */
const REPORT_MS = 1_000;
const maxEvents = 1_000;
const maxEventBytes = 4 * 1024 * 1024;

/** Of one log-in, on one device. Feed it the events of the link whose Hello names FEATURE_INTRODUCTIONS. */
export class PrivateChats implements AsyncDisposable {
  readonly #context: PrivateChatContext;
  readonly #events: EventBuffer<PrivateEvent>;
  readonly #closing: AbortController;
  readonly #asking = new Map<string, OutgoingRequest>();
  readonly #questions: IncomingRequests;
  readonly #pendingPeers: PendingPeers;
  readonly #open = new Map<string, OpenChat>();
  readonly #reports: OpenChatReports;

  private constructor(
    context: PrivateChatContext,
    events: EventBuffer<PrivateEvent>,
    closing: AbortController,
  ) {
    this.#context = context;
    this.#events = events;
    this.#closing = closing;
    this.#questions = new IncomingRequests(context, () => !events.overfull);
    this.#reports = new OpenChatReports(context, () =>
      [...this.#open.values()].map(({ peer }) => peer.userId),
    );
    this.#pendingPeers = new PendingPeers(context, {
      converse: (begun, queued) => this.#converse(begun, false, queued),
      failed: (introductionId) => this.#reports.report(introductionId),
    });
  }

  /**
   * Makes the device's key if there is none, and starts the peer server. Nothing is asked of the server yet.
   * @throws ListenError where the port cannot be used
   */
  static async open(options: PrivateChatsOptions): Promise<PrivateChats> {
    const { endpoint, token, names, keys, contacts, client, listen, allowHalfOpen = false } = options;
    const events = new EventBuffer<PrivateEvent>(maxEvents, maxEventBytes);
    const closing = new AbortController();
    const emit: Emit = async (event, onTaken) => {
      const text = event.type === "line" && event.content.kind === "text" ? event.content.text : "";
      events.push(event, 256 + 2 * text.length, onTaken);
      await events.room();
    };
    const { device } = await ownKeys(keys, names.deviceId);
    const onError = (error: unknown): void => void emit({ type: "background-error", error: asError(error) });
    const server = await PeerServer.open({ own: device, address: listen, onError });
    const calls = new PrivateCalls(endpoint, token, randomBytes(16).toString("base64url"));
    const peer = { server, allowHalfOpen, closing: closing.signal };
    const parts = { calls, names, keys, contacts, client, emit, ...peer };
    return new PrivateChats(new PrivateChatContext(parts), events, closing);
  }

  /** What happens, in order. One reader at a time; the loop ends when they are closed. */
  get events(): AsyncIterable<PrivateEvent> {
    return this.#events;
  }

  /** The calls of the log-in. */
  get calls(): PrivateCalls {
    return this.#context.parts.calls;
  }

  /** What is remembered of others' keys. */
  get contacts(): ContactStore {
    return this.#context.parts.contacts;
  }

  /** Whose device this is. */
  get names(): OwnNames {
    return this.#context.parts.names;
  }

  /** The port of the peer server; undefined where it does not listen. */
  get port(): number | undefined {
    return this.#context.parts.server.port;
  }

  /** Tells this program apart from others of the same session: the link's Hello has to name it. */
  get processId(): string {
    return this.calls.processId;
  }

  /** With whom a chat is open, and by which path. */
  get openChats(): readonly OpenChatInfo[] {
    const open = [...this.#open].filter(([, { isOver }]) => !isOver);
    return open.map(([username, { path, peer }]) => ({ username, path, peer }));
  }

  /** Who was told yes, and with whom a chat is about to open. */
  get pendingPeers(): readonly string[] {
    return this.#pendingPeers.usernames;
  }

  /** Who is being asked. */
  get outgoingRequests(): readonly string[] {
    return [...this.#asking.keys()];
  }

  /** Who asks, and whether that one allows a direct path. */
  get incomingRequests(): readonly IncomingRequest[] {
    return this.#questions.list();
  }

  /**
   * Registers this device's certificate: a stream that names FEATURE_INTRODUCTIONS needs it. Each time anew, since another
   * program or device may have changed the user's identity key.
   * @throws RpcError, ConnectError
   */
  register(): Promise<Registered> {
    return this.#context.registerAnew();
  }

  /** What the link tells that concerns private chats; the rest is let pass. */
  handleLinkEvent(event: LinkEvent): void {
    switch (event.type) {
      case "welcome":
        this.#questions.reopened();
        this.#reports.report();
        break;
      case "caught-up":
        this.#questions.caughtUp();
        break;
      case "introduction-requested":
        this.#questions.asked(event.introduction);
        break;
      case "introduction-closed":
        this.#questions.closed(event.closed);
        this.#pendingPeers.closed(event.closed);
        break;
      default:
        break;
    }
  }

  /**
   * Asks a user for a chat. Resolves once the user's devices are being asked; the rest is told by events.
   * @param direct both ends may learn each other's address, if the other one allows it too
   * @throws RpcError where the server refuses, ConnectError, NotSentError where there is nothing to ask
   */
  async start(username: string, { direct }: { readonly direct: boolean }): Promise<void> {
    if (this.#open.has(username)) throw new NotSentError(`A private chat with ${username} is open already.`);
    if (this.#asking.has(username)) throw new NotSentError(`${username} is being asked already.`);
    if (this.#pendingPeers.get(username) !== undefined)
      throw new NotSentError(`${username} was told yes: the private chat is about to open.`);
    if (this.#questions.has(username)) throw new NotSentError(`${username} is asking you: answer that.`);
    const asking = new OutgoingRequest(this.#context, username);
    this.#asking.set(username, asking);
    try {
      // What is over must be over for the server, too.
      await this.#reports.upToDate();
      await asking.ask(direct);
    } catch (error) {
      this.#asking.delete(username);
      const queued = asking.queued.texts;
      if (queued.length > 0) await this.#emit({ type: "failed", username, error: asError(error), queued });
      throw error;
    }
    void this.#begin(username, asking);
  }

  /**
   * Answers one who asks: yes, no for all devices of this user, or not on this one.
   * @param how `direct` as in `start`; `always`: from now on it is yes without asking, which stands in `Contact.always`
   *   for whoever answers by it
   * @throws NotSentError where that one does not ask, KeyProblemError, RpcError, ConnectError
   */
  async answer(
    username: string,
    answer: "accept" | "refuse" | "pass",
    how: { readonly direct?: boolean; readonly always?: boolean } = {},
  ): Promise<void> {
    const { direct = false, always = false } = how;
    if (answer !== "accept") {
      await this.#questions.settle(username, (asked) => decline(this.#context, asked, answer));
      return;
    }
    const peer = await this.#questions.settle(username, async (asked) => {
      this.#context.admit(asked.peer);
      await this.#pendingPeers.accept({ ...asked, direct: direct && asked.direct });
    });
    if (!always) return;
    const contact = remembered(this.contacts.get(username), peer, new Date());
    this.contacts.save({ ...contact, always: direct ? "direct" : "relay" });
  }

  /**
   * Says a line; while the other one is being asked, or was told yes and is about to come, it is queued and said then.
   * @returns whether it was said
   * @throws NotSentError
   */
  send(username: string, text: string): "sent" | "queued" {
    const open = this.#open.get(username);
    const waiting = this.#asking.get(username) ?? this.#pendingPeers.get(username);
    if (open !== undefined) open.send(text);
    else if (waiting !== undefined) waiting.queued.add(text);
    else throw new NotSentError(`No private chat with ${username} is open.`);
    return open === undefined ? "queued" : "sent";
  }

  /** Resolves when there is room for a line to that one, or no chat is open. */
  async whenWritable(username: string): Promise<void> {
    await this.#open.get(username)?.whenWritable();
  }

  /** The person has seen what that one said so far. */
  markRead(username: string): void {
    this.#open.get(username)?.markRead();
  }

  /** The person here types to that one, or has ceased to. */
  setTyping(username: string, typing: boolean): void {
    this.#open.get(username)?.setTyping(typing);
  }

  /**
   * Says no more lines to that one, and goes on taking that one's. The chat ends once both have said all, and all of it has
   * arrived.
   * @throws NotSentError where no chat is open
   */
  finish(username: string): void {
    const open = this.#open.get(username);
    if (open === undefined) throw new NotSentError(`No private chat with ${username} is open.`);
    open.finish();
  }

  /** Ends a chat, or takes back what was asked or answered. @throws NotSentError where there is nothing to stop */
  async stop(username: string, ending: Ending = Ending.STOPPED): Promise<void> {
    const open = this.#open.get(username);
    const asking = this.#asking.get(username);
    const pendingPeer = this.#pendingPeers.get(username);
    if (open !== undefined) await open.end(ending);
    else if (asking !== undefined) asking.takeBack();
    else if (pendingPeer !== undefined) pendingPeer.fail(new NotSentError("It was taken back."));
    else throw new NotSentError(`No private chat with ${username} is open.`);
  }

  /**
   * Where else of this user a private chat with that one is open, as far as the server knows; undefined: nowhere.
   * @throws RpcError USER_NOT_FOUND, ConnectError
   */
  async findOpenElsewhere(username: string): Promise<OpenElsewhere | undefined> {
    // One that just ends here is open nowhere, once the server has been told.
    if (this.#open.has(username)) return undefined;
    await this.#reports.settled;
    const found = await this.calls.getPrivateChat(username);
    if (found === undefined) return undefined;
    const { deviceId, deviceName } = found;
    return deviceId === this.names.deviceId ? { kind: "here" } : { kind: "device", deviceName };
  }

  /**
   * A person accepts what came up last of that user's keys in this process.
   * @returns what was wrong with it; undefined where nothing is
   */
  acceptKeys(username: string): KeyProblem | undefined {
    const peer = this.#context.presented.get(username);
    const problem = peer && this.#context.checkKeys(peer).problem;
    if (peer === undefined || problem === undefined) return undefined;
    this.contacts.save(accepted(this.contacts.get(username), peer, new Date()));
    return problem;
  }

  /**
   * Judges the keys of an open chat by what is remembered now, as after a person verified another key, and ends it where
   * they have to be accepted first. Each line that is said or comes does the same.
   * @returns what is wrong with them; undefined where nothing is, or no chat is open
   */
  recheckKeys(username: string): KeyProblem | undefined {
    return this.#open.get(username)?.recheckKeys();
  }

  /**
   * Ends every chat with this word, and everything else.
   * @returns what came to nothing by that, one for each user concerned; nothing where it was done before
   */
  async close(ending: Ending): Promise<readonly UndeliveredLines[]> {
    if (this.#closing.signal.aborted) return [];
    const waiting = [...this.outgoingRequests, ...this.pendingPeers].map((username): UndeliveredLines => {
      const { texts = [] } = (this.#asking.get(username) ?? this.#pendingPeers.get(username))?.queued ?? {};
      return { username, queued: texts, undelivered: [] };
    });
    this.#closing.abort();
    this.#questions.clear();
    const open = [...this.#open.values()];
    await Promise.all(open.map((chat) => chat.end(ending)));
    this.#events.end();
    // What came to nothing is no longer open for anybody, once the server knows.
    using late = after(REPORT_MS);
    await Promise.race([this.#reports.settled, late.promise]);
    await this.#context.parts.server[Symbol.asyncDispose]();
    const said = open.map(({ peer, undelivered }) => ({ username: peer.username, queued: [], undelivered }));
    return [...waiting, ...said].filter(({ queued, undelivered }) => queued.length + undelivered.length > 0);
  }

  /** As `close`, having left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close(Ending.LEFT);
  }

  /** From the question to the end of the conversation. Never rejects. */
  async #begin(username: string, asking: OutgoingRequest): Promise<void> {
    try {
      const begun = await asking.begin();
      this.#asking.delete(username);
      await this.#converse(begun, true, asking.queued.texts);
    } catch (error) {
      this.#asking.delete(username);
      // After a yes the server takes the chat for open, until it is told what has become of it.
      this.#reports.report(asking.introductionId);
      await this.#emit({ type: "failed", username, error: asError(error), queued: asking.queued.texts });
    }
  }

  /**
   * A conversation from its start to its end.
   * @param queued what to say first
   * @throws RpcError, KeyProblemError where it does not begin: then nothing was said
   */
  async #converse(begun: EstablishedChat, startedHere: boolean, queued: readonly string[]): Promise<void> {
    const { peer, path } = begun;
    const { username } = peer;
    const keyCheck = await this.#admit(begun, startedHere);
    const chat = new OpenChat(this.#context, begun);
    this.#open.set(username, chat);
    this.#reports.report();
    // In one turn with what was queued: nothing that is said now comes before it, and no end comes in between.
    void this.#emit({ type: "opened", username, path, startedHere, peer, keyCheck });
    const ended = await chat.run(queued);
    this.#open.delete(username);
    this.#reports.report();
    const room = this.#emit(ended);
    chat.told();
    await room;
  }

  /** Makes room for a conversation, and remembers whose it is. @throws RpcError, KeyProblemError */
  async #admit({ peer, stream }: EstablishedChat, startedHere: boolean): Promise<KeyCheck> {
    const { username } = peer;
    try {
      // Who asks anew has no chat any more, and the one here is only not known to be over.
      if (!startedHere) await this.#open.get(username)?.drop();
      if (this.#closing.signal.aborted || this.#open.has(username))
        throw refusal(Reason.PEER_GONE, "A private chat cannot be opened here now.");
      // Anew: since the yes a person may have verified another key.
      const keyCheck = this.#context.admit(peer);
      this.contacts.save(remembered(this.contacts.get(username), peer, new Date()));
      return keyCheck;
    } catch (error) {
      stream.abort(
        error instanceof RpcError ? error : refusal(Reason.PEER_GONE, "The other device hung up."),
      );
      throw error;
    }
  }

  #emit(event: PrivateEvent): Promise<void> {
    return this.#context.parts.emit(event);
  }
}

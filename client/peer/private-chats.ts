// The private chats of one device: requests and answers, open chats, and the events of all of them.
import { randomBytes } from "node:crypto";
import { Ending } from "../../gen/parley/peer/v1/peer_service.ts";
import { waitFor } from "../../time/wait.ts";
import type { LinkEvent } from "../link/model/events.ts";
import { EventBuffer } from "../link/receiving/event-buffer.ts";
import { PrivateCalls } from "../link/server/private-chat-calls.ts";
import { isLoopback } from "../link/server/trust.ts";
import { ActiveChats } from "./chats/active-chats.ts";
import type { OpenChatInfo, OpenElsewhere } from "./chats/chat-locations.ts";
import { asError, type Emit, PrivateChatContext } from "./chats/context.ts";
import type { PrivateEvent, UndeliveredLines } from "./chats/events.ts";
import { type IncomingRequest, IncomingRequests } from "./chats/incoming-requests.ts";
import { OpenChatReports } from "./chats/open-chat-reports.ts";
import { OutgoingRequests } from "./chats/outgoing-requests.ts";
import { PendingPeers } from "./chats/pending-peers.ts";
import { NotSentError } from "./conversation/line-rules.ts";
import { accepted, type ContactStore, type KeyProblem, remembered } from "./keys/contacts.ts";
import { type OwnNames, ownKeys, type Registered } from "./keys/registration.ts";
import { PeerServer } from "./path/peer-server.ts";
import type { PrivateChatsOptions } from "./private-chats-options.ts";

/** How long `close` waits for the last report to the server, ms. */
const REPORT_MS = 1_000;
const maxEvents = 1_000;
const maxEventBytes = 4 * 1024 * 1024;

/**
 * The private chats of one session on one device. Pass it the events of a link whose Hello has the feature
 * INTRODUCTIONS and this `processId`.
 */
export class PrivateChats implements AsyncDisposable {
  readonly #context: PrivateChatContext;
  readonly #events: EventBuffer<PrivateEvent>;
  readonly #closing: AbortController;
  readonly #incoming: IncomingRequests;
  readonly #pendingPeers: PendingPeers;
  readonly #active: ActiveChats;
  readonly #reports: OpenChatReports;
  readonly #outgoing: OutgoingRequests;

  private constructor(
    context: PrivateChatContext,
    events: EventBuffer<PrivateEvent>,
    closing: AbortController,
  ) {
    this.#context = context;
    this.#events = events;
    this.#closing = closing;
    this.#incoming = new IncomingRequests(context, () => !events.overfull);
    this.#active = new ActiveChats(context, () => this.#reports.report());
    this.#reports = new OpenChatReports(context, () => this.#active.userIds);
    this.#outgoing = new OutgoingRequests(context, this.#active, this.#reports);
    this.#pendingPeers = new PendingPeers(context, {
      converse: (established, queued) => this.#active.run(established, false, queued),
      failed: (introductionId) => this.#reports.report(introductionId),
    });
  }

  /**
   * Creates the device's key if there is none. It makes no call to the chat server.
   * @throws ListenError if the port cannot be used
   */
  static async open(options: PrivateChatsOptions): Promise<PrivateChats> {
    const { endpoint, token, names, keys, contacts, client, listen, allowHalfOpen = false, policy } = options;
    const events = new EventBuffer<PrivateEvent>(maxEvents, maxEventBytes);
    const closing = new AbortController();
    const emit: Emit = async (event, onTaken) => {
      const text = event.type === "line" && event.content.kind === "text" ? event.content.text : "";
      events.push(event, 256 + 2 * text.length, onTaken);
      await events.room();
    };
    const { device } = await ownKeys(keys, names.deviceId);
    const onError = (error: unknown): void => void emit({ type: "background-error", error: asError(error) });
    const isLocal = isLoopback(endpoint.address);
    const server = await PeerServer.open({ own: device, address: listen, isLocal, onError });
    const calls = new PrivateCalls(endpoint, token, randomBytes(16).toString("base64url"));
    const peer = { server, allowHalfOpen, closing: closing.signal, policy };
    const parts = { calls, names, keys, contacts, client, emit, ...peer };
    return new PrivateChats(new PrivateChatContext(parts), events, closing);
  }

  /** All events, in order. Only one reader at a time; its loop ends after `close`. */
  get events(): AsyncIterable<PrivateEvent> {
    return this.#events;
  }

  /** The calls of the session to the chat server. */
  get calls(): PrivateCalls {
    return this.#context.parts.calls;
  }

  /** The stored keys of other users. */
  get contacts(): ContactStore {
    return this.#context.parts.contacts;
  }

  /** The user and the device. */
  get names(): OwnNames {
    return this.#context.names;
  }

  /**
   * The port at which this device listens for peers, or listened last; undefined if it never did. It listens only while a
   * peer whose request was accepted may connect directly.
   */
  get port(): number | undefined {
    return this.#context.parts.server.port;
  }

  /** Distinguishes this program from others of the same session. The link's Hello must contain it. */
  get processId(): string {
    return this.calls.processId;
  }

  /** The open chats. */
  get openChats(): readonly OpenChatInfo[] {
    return this.#active.list;
  }

  /** The users whose requests were accepted and whose devices have not connected yet. */
  get pendingPeers(): readonly string[] {
    return this.#pendingPeers.usernames;
  }

  /** The users from whom this device requested a chat and who have not answered. */
  get outgoingRequests(): readonly string[] {
    return this.#outgoing.usernames;
  }

  /** The requests that wait for an answer. */
  get incomingRequests(): readonly IncomingRequest[] {
    return this.#incoming.list();
  }

  /**
   * Registers this device's certificate, which a stream with the feature INTRODUCTIONS requires. Each call registers it
   * again, because another program or device may have changed the user's identity key.
   * @throws RpcError, ConnectError
   */
  register(): Promise<Registered> {
    return this.#context.registerAgain();
  }

  /**
   * Registers this device before a stream opens: pass it as `beforeStream` to the link. If the server has a new id, as
   * after a restore, the identity key signs the user's devices for that id.
   * @throws RpcError, ConnectError
   */
  beforeStream(serverId: string | undefined): Promise<void> {
    return this.#context.beforeStream(serverId);
  }

  /** Handles an event of the link; ignores events that do not concern private chats. */
  handleLinkEvent(event: LinkEvent): void {
    switch (event.type) {
      case "welcome":
        this.#incoming.streamOpened();
        this.#reports.report();
        break;
      case "caught-up":
        this.#incoming.caughtUp();
        break;
      case "introduction-requested":
        this.#incoming.requested(event.introduction);
        break;
      case "introduction-closed":
        this.#incoming.closed(event.closed);
        this.#pendingPeers.closed(event.closed);
        break;
      default:
        break;
    }
  }

  /**
   * Requests a chat with a user. Resolves when the server has asked the user's devices; the outcome comes as an event.
   * @param direct whether the devices may learn each other's address, if the other user allows it too
   * @throws RpcError if the server refuses, ConnectError, NotSentError if a request is not possible now
   */
  async start(username: string, { direct }: { readonly direct: boolean }): Promise<void> {
    if (this.#active.get(username) !== undefined)
      throw new NotSentError(`A private chat with ${username} is already open.`);
    if (this.#pendingPeers.get(username) !== undefined)
      throw new NotSentError(
        `You have accepted the request of ${username}: the private chat is about to open.`,
      );
    if (this.#incoming.has(username))
      throw new NotSentError(`${username} requests a private chat with you: answer that request.`);
    await this.#outgoing.start(username, direct);
  }

  /**
   * Answers a request: accepts it, refuses it for all devices of this user, or passes on it for this program only.
   * @param how `direct`: as in `start`. `always`: also store in `Contact.always` that requests of this user are to be
   *   accepted; the program itself has to act on it
   * @throws NotSentError if there is no such request, KeyProblemError, RpcError, ConnectError
   */
  async answer(
    username: string,
    answer: "accept" | "refuse" | "pass",
    how: { readonly direct?: boolean; readonly always?: boolean } = {},
  ): Promise<void> {
    const { direct = false, always = false } = how;
    if (answer !== "accept") {
      await this.#incoming.decline(username, answer);
      return;
    }
    const peer = await this.#incoming.settle(username, async (request) => {
      this.#context.admit(request.peer);
      await this.#pendingPeers.accept({ ...request, direct: direct && request.direct });
    });
    if (!always) return;
    // An answer to a request accepts no changed key: `acceptKeys` does.
    if (this.#context.checkKeys(peer).problem === "changed") return;
    const contact = remembered(this.contacts.get(username), peer, new Date());
    this.contacts.save({ ...contact, always: direct ? "direct" : "relay" });
  }

  /**
   * Sends a line. If the chat was requested or accepted but is not open yet, the line is queued and sent when the chat
   * opens. While the keys of a known contact are not as expected, the line is queued until `acceptKeys`.
   * @throws NotSentError if there is no such chat, or the line cannot be sent now
   */
  send(username: string, text: string): "sent" | "queued" {
    const open = this.#active.get(username);
    const waiting = this.#outgoing.get(username) ?? this.#pendingPeers.get(username);
    if (open !== undefined) return open.send(text);
    if (waiting === undefined) throw new NotSentError(`No private chat with ${username} is open.`);
    waiting.queued.add(text);
    return "queued";
  }

  /** Resolves when a line can be sent to the user, or no chat is open. */
  async whenWritable(username: string): Promise<void> {
    await this.#active.get(username)?.whenWritable();
  }

  /** Marks all lines that the user has sent so far as read. */
  markRead(username: string): void {
    this.#active.get(username)?.markRead();
  }

  /** Announces that this user is typing to the other one, or has stopped. */
  setTyping(username: string, typing: boolean): void {
    this.#active.get(username)?.setTyping(typing);
  }

  /**
   * Announces that no more lines will be sent to the user; lines are still received. The chat ends when both ends have
   * announced it and all lines have arrived.
   * @throws NotSentError if no chat is open
   */
  finish(username: string): void {
    const open = this.#active.get(username);
    if (open === undefined) throw new NotSentError(`No private chat with ${username} is open.`);
    open.finish();
  }

  /** Ends a chat, or withdraws a request or an acceptance. @throws NotSentError if there is none of these */
  async stop(username: string, ending: Ending = Ending.STOPPED): Promise<void> {
    const open = this.#active.get(username);
    const request = this.#outgoing.get(username);
    const pendingPeer = this.#pendingPeers.get(username);
    if (open !== undefined) await open.end(ending);
    else if (request !== undefined) request.withdraw();
    else if (pendingPeer !== undefined) pendingPeer.fail(new NotSentError("The acceptance was withdrawn."));
    else throw new NotSentError(`No private chat with ${username} is open.`);
  }

  /**
   * Asks the server in which other program, or on which other own device, a chat with the user is open.
   * @returns undefined if there is none
   * @throws RpcError USER_NOT_FOUND, ConnectError
   */
  async findOpenElsewhere(username: string): Promise<OpenElsewhere | undefined> {
    if (this.#active.get(username) !== undefined) return undefined;
    // The server must know that a chat of this program has just ended.
    await this.#reports.settled;
    const found = await this.calls.getPrivateChat(username);
    if (found === undefined) return undefined;
    const { deviceId, deviceName } = found;
    return deviceId === this.names.deviceId ? { kind: "here" } : { kind: "device", deviceName };
  }

  /**
   * Accepts the keys that the user presented last to this process, because a person decided so.
   * @returns the problem that the keys had; undefined if they had none
   */
  acceptKeys(username: string): KeyProblem | undefined {
    const peer = this.#context.presented.get(username);
    const problem = peer && this.#context.checkKeys(peer).problem;
    if (peer === undefined || problem === undefined) return undefined;
    this.contacts.save(accepted(this.contacts.get(username), peer, new Date()));
    this.recheckKeys(username);
    return problem;
  }

  /**
   * Checks the keys of an open chat against the stored ones, for example after a person verified another key. Ends the
   * chat if a person has to accept the keys first, and sends held lines if one has. Each line in either direction triggers the same check.
   * @returns the problem of the keys; undefined if they have none, or no chat is open
   */
  recheckKeys(username: string): KeyProblem | undefined {
    return this.#active.get(username)?.recheckKeys();
  }

  /**
   * Ends every chat with this ending, withdraws every request, and stops the peer server.
   * @returns the lines that did not arrive, one element for each user concerned; empty if `close` was called before
   */
  async close(ending: Ending): Promise<readonly UndeliveredLines[]> {
    if (this.#closing.signal.aborted) return [];
    const waiting = [...this.outgoingRequests, ...this.pendingPeers].map((username): UndeliveredLines => {
      const { texts = [] } = (this.#outgoing.get(username) ?? this.#pendingPeers.get(username))?.queued ?? {};
      return { username, queued: texts, undelivered: [] };
    });
    this.#closing.abort();
    this.#incoming.clear();
    const open = await this.#active.end(ending);
    this.#events.end();
    await waitFor(this.#reports.settled, { ms: REPORT_MS });
    await this.#context.parts.server[Symbol.asyncDispose]();
    const sent = open.map(({ peer: { username }, notSent, undelivered }) => ({
      username,
      queued: notSent,
      undelivered,
    }));
    return [...waiting, ...sent].filter(({ queued, undelivered }) => queued.length + undelivered.length > 0);
  }

  /** As `close`, with the ending LEFT. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close(Ending.LEFT);
  }
}

// The private chats of the chat: carries out commands in them and keeps their state for the prompt and the status line.
import { ConnectError } from "../../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../../rpc/status/status.ts";
import type { Clock } from "../../../../time/clock.ts";
import { waitFor } from "../../../../time/wait.ts";
import { KeyProblemError } from "../../../peer/chats/context.ts";
import type { PrivateEvent } from "../../../peer/chats/events.ts";
import { NotSentError } from "../../../peer/conversation/line-rules.ts";
import type { Path } from "../../../peer/path/connect-peer.ts";
import {
  alwaysWords,
  failedWords,
  notAlwaysWords,
  pathWords,
  whereWords,
} from "../../private/private-words.ts";
import type { PathChoice, PrivateSettings } from "../../private/settings.ts";
import { refuse } from "../command/chat-command.ts";
import type { Attention } from "../incoming/attention.ts";
import type { Mark } from "../model/conversations.ts";
import type { Count, Display, DisplayItem } from "../model/display-item.ts";
import { privately } from "../model/place.ts";
import type { PrivateActions, PrivateLink } from "../model/private-link.ts";
import { ChangedRequests } from "./changed-requests.ts";
import { hasRequestFrom, isOpenOrStarting, pathOf } from "./chat-lookup.ts";
import { keptHistory } from "./kept-history.ts";
import { PrivateIncoming } from "./private-incoming.ts";
import { PrivateProgress } from "./private-progress.ts";
import { verifyUser } from "./verify-user.ts";

/** How long a line waits for a slow peer, ms: longer than it takes to notice that the peer is gone. */
const WRITABLE_MS = 60_000;

export interface PrivateControllerOptions {
  readonly chats: PrivateLink;
  readonly settings: PrivateSettings;
  readonly me: string;
  readonly clock: Clock;
  readonly attention: Attention;
  /** A user reads the output and can answer questions; false for a script. */
  readonly canAsk: boolean;
  /** Everything that is shown counts as read, as in plain mode. */
  readonly readsAll: boolean;
  /** A line waits until the peer takes more, instead of being refused. Scripts cannot send it again. */
  readonly waitsForPeer: boolean;
  readonly display: Display;
  isOpen(username: string): boolean;
  /** A chat with this user ended or did not start. `byMe`: the user ended it here. */
  onEnded(username: string, byMe?: boolean): void;
}

export class PrivateController implements PrivateActions, Disposable {
  readonly #options: PrivateControllerOptions;
  readonly #progress: PrivateProgress;
  readonly #incoming: PrivateIncoming;
  readonly #changed: ChangedRequests;
  /** Resolved at each event, so that `settled` checks again. */
  #nextEvent: PromiseWithResolvers<void> | undefined;

  constructor(options: PrivateControllerOptions) {
    this.#options = options;
    const { clock, display } = options;
    this.#changed = new ChangedRequests(clock);
    this.#progress = new PrivateProgress(clock, () => display.refresh());
    this.#incoming = new PrivateIncoming({ ...options, progress: this.#progress });
  }

  get unread(): Count[] {
    return this.#progress.unread;
  }

  /** What the prompt and the status line show of a private chat. */
  statusOf(username: string): { path: Path | undefined; typing: boolean; mark: Mark | undefined } {
    return {
      path: pathOf(this.#options.chats, username),
      typing: this.#progress.isTyping(username),
      mark: this.#progress.markOf(username),
    };
  }

  /** Handles one event. Await it before the next one. */
  async take(event: PrivateEvent): Promise<void> {
    if (event.type === "requested") this.#changed.requested(event.username, event.direct);
    await this.#incoming.take(event);
    this.#nextEvent?.resolve();
    this.#nextEvent = undefined;
    this.#options.display.refresh();
  }

  /** Asks the user for the path first, if neither the command nor a setting chooses it. @throws CommandError */
  async start(username: string, path: PathChoice | undefined): Promise<void> {
    const { chats, settings, me, canAsk } = this.#options;
    if (username === me) throw refuse("You cannot chat with yourself.");
    const chosen = path ?? (settings.path === "auto" && !canAsk ? "relay" : settings.path);
    if (chosen !== "auto" || pathOf(chats, username) !== undefined) {
      await this.#attempt(username, () => chats.start(username, { direct: chosen === "direct" }));
      return;
    }
    this.#answer([
      `Choose a path (${username} has not been asked yet):`,
      `/startprivate ${username} --direct: ${pathWords.direct}; ${username} will see your address.`,
      `/startprivate ${username} --relay: through the server, which sees who chats and when, but cannot read it.`,
    ]);
  }

  /** @throws CommandError */
  async accept(username: string, path: PathChoice | undefined, always: boolean): Promise<void> {
    const { chats, settings } = this.#options;
    // Without a path, the user accepts the path of the request. It must be the path that was shown: a direct one
    // reveals the user's address.
    const isOffered = chats.incomingRequests.some(
      (request) => request.username === username && request.direct,
    );
    const direct = path === undefined ? isOffered && settings.path !== "relay" : path === "direct";
    if (path === undefined && direct && this.#changed.hasChanged(username)) {
      throw refuse(
        `${username} has just changed the request: accepting it would now show your address. ` +
          `Choose: /accept ${username} --direct or /accept ${username} --relay`,
      );
    }
    await this.#attempt(username, () => chats.answer(username, "accept", { direct, always }));
  }

  showAlways(username: string): void {
    const always = this.#options.chats.contacts.get(username)?.always ?? "ask";
    if (always !== "ask") this.#answer([alwaysWords(username, always)]);
  }

  /** @throws CommandError */
  async refuse(username: string): Promise<void> {
    const { chats, settings } = this.#options;
    const contact = chats.contacts.get(username);
    if (!hasRequestFrom(chats, username) && contact !== undefined && contact.always !== "ask") {
      chats.contacts.save({ ...contact, always: "ask" });
      this.#answer([notAlwaysWords(username, settings.answer)]);
      return;
    }
    await this.#attempt(username, () => chats.answer(username, "refuse"));
    this.#answer([`${username} is told that you do not want a private chat now.`]);
  }

  /** Sends a line, or holds it until the chat opens. @throws CommandError */
  async send(username: string, text: string): Promise<void> {
    await this.check(username);
    const { chats, display, clock, me, isOpen, waitsForPeer } = this.#options;
    if (waitsForPeer) await this.#whenWritable(username);
    const outcome = await this.#attempt(username, () => Promise.resolve(chats.send(username, text)));
    if (outcome === "sent") {
      // Who answers has read what is on the screen.
      this.markRead(username);
      return;
    }
    this.#progress.held(username);
    display.show({
      kind: "message",
      time: new Date(clock.now()),
      from: me,
      mine: true,
      place: privately(username),
      content: { kind: "text", text },
      here: isOpen(username),
      waiting: true,
      echo: true,
    });
  }

  /** @throws CommandError */
  async stop(username: string): Promise<void> {
    const { chats } = this.#options;
    if (hasRequestFrom(chats, username)) {
      throw refuse(`${username} has asked you for a private chat. To refuse: /refuse ${username}`);
    }
    await this.check(username);
    await this.#attempt(username, () => chats.stop(username));
  }

  /** @throws CommandError if no chat is open or starting here; its message says where one is open, if known */
  async check(username: string): Promise<void> {
    const { chats, me } = this.#options;
    const isHere = username === me || isOpenOrStarting(chats, username) || hasRequestFrom(chats, username);
    if (isHere) return this.#checkOpen(username);
    const found = await chats.findOpenElsewhere(username).catch((error: unknown) => {
      if (error instanceof RpcError && error.reason === "USER_NOT_FOUND")
        throw refuse(failedWords(username, error));
      // Without an answer from the server, the state of this program decides.
      if (error instanceof RpcError || error instanceof ConnectError) return undefined;
      throw error;
    });
    // The chat may have opened meanwhile.
    if (found === undefined || isOpenOrStarting(chats, username)) return this.#checkOpen(username);
    throw refuse(`The private chat with ${username} is open ${whereWords(found)}.`);
  }

  /** Whether lines can go to a chat with this user: it is open or starting. */
  canOpen(username: string): boolean {
    return isOpenOrStarting(this.#options.chats, username);
  }

  /** The chat becomes the open one, and its lines count as read. @throws CommandError if there is none */
  opened(username: string): void {
    this.#checkOpen(username);
    this.markRead(username);
  }

  /** Marks all lines of this chat as read. */
  markRead(username: string): void {
    this.#progress.markRead(username);
    this.#options.chats.markRead(username);
  }

  setTyping(username: string, typing: boolean): void {
    this.#options.chats.setTyping(username, typing);
  }

  list(): string[] {
    const { openChats, outgoingRequests, incomingRequests, pendingPeers } = this.#options.chats;
    return [
      ...openChats.map(({ username, path }) => `${username}: ${pathWords[path]}`),
      ...outgoingRequests.map((username) => `${username}: asked, no answer yet`),
      ...pendingPeers.map((username) => `${username}: accepted, connecting`),
      ...incomingRequests.map(
        ({ username }) => `${username}: asks you; answer with /accept ${username} or /refuse ${username}`,
      ),
    ];
  }

  /** @throws CommandError, RpcError, ConnectError */
  verify(username: string, what: "show" | "confirm" | "accept"): Promise<void> {
    const { chats, me } = this.#options;
    return verifyUser({ chats, me, answer: (lines) => this.#answer(lines) }, username, what);
  }

  /** As keptHistory. @throws CommandError */
  history(username: string, count: number): DisplayItem[] {
    const { settings, me } = this.#options;
    return keptHistory(settings, me, username, count);
  }

  /** Resolves when no chat is starting, and no own line waits or is on its way. */
  async settled(): Promise<void> {
    const { chats } = this.#options;
    while (chats.outgoingRequests.length > 0 || chats.pendingPeers.length > 0 || this.#progress.underway) {
      this.#nextEvent ??= Promise.withResolvers();
      await this.#nextEvent.promise;
    }
  }

  [Symbol.dispose](): void {
    this.#progress[Symbol.dispose]();
  }

  /** Resolves when the peer takes a line, or after WRITABLE_MS: a peer that reads nothing must not block a script. */
  async #whenWritable(username: string): Promise<void> {
    const { chats, clock } = this.#options;
    const deadline = new AbortController();
    using _timer = clock.after(WRITABLE_MS, () => deadline.abort());
    await waitFor(chats.whenWritable(username), { signal: deadline.signal });
  }

  /** @throws CommandError if no chat is open or starting */
  #checkOpen(username: string): void {
    const { chats, me } = this.#options;
    if (username === me) throw refuse("You cannot chat with yourself.");
    if (isOpenOrStarting(chats, username)) return;
    const hint = hasRequestFrom(chats, username)
      ? `To accept the request: /accept ${username}`
      : `To ask for one: /startprivate ${username}`;
    throw refuse(`No private chat with ${username} is open. ${hint}`);
  }

  #answer(lines: readonly string[]): void {
    this.#options.display.show({ kind: "answer", lines });
  }

  /** Turns refusals into sentences for the user. @throws CommandError */
  async #attempt<T>(username: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof NotSentError) throw refuse(error.message);
      const isRefusal = error instanceof RpcError || error instanceof KeyProblemError;
      if (isRefusal && !(error instanceof ConnectError)) throw refuse(failedWords(username, error));
      throw error;
    }
  }
}

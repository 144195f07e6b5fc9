// Private chats as the chat has them: what a person does in them, and the parts that show them.
import { ConnectError } from "../../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../../rpc/status/status.ts";
import { KeyProblemError } from "../../../peer/chats/context.ts";
import type { PrivateEvent } from "../../../peer/chats/events.ts";
import { NotSentError } from "../../../peer/conversation/private-conversation.ts";
import {
  acceptKeys,
  confirm,
  markShown,
  objectionTo,
  type Verification,
  verificationOf,
} from "../../../peer/keys/verification.ts";
import type { Path } from "../../../peer/path/connect-peer.ts";
import { refuse } from "../command/chat-command.ts";
import type { Attention } from "../incoming/attention.ts";
import type { Clock } from "../model/clock.ts";
import type { Mark } from "../model/conversations.ts";
import type { Count, Display, DisplayItem } from "../model/display-item.ts";
import { privately } from "../model/place.ts";
import type { PathChoice, PrivateActions, PrivateLink, PrivateSettings } from "../model/private-link.ts";
import { ChangedRequests } from "./changed-requests.ts";
import { PrivateIncoming } from "./private-incoming.ts";
import { PrivateProgress } from "./private-progress.ts";
import {
  acceptedWords,
  alwaysWords,
  failedWords,
  notAlwaysWords,
  openChatWords,
  pathWords,
  verificationWords,
  whereWords,
} from "./private-words.ts";

/** Longer than it takes to notice that the other device is gone, ms. */
const ROOM_MS = 60_000;

export interface PrivateControllerOptions {
  readonly chats: PrivateLink;
  readonly settings: PrivateSettings;
  readonly me: string;
  readonly clock: Clock;
  readonly attention: Attention;
  /** A person reads and can be asked. */
  readonly hasPerson: boolean;
  readonly seesAll: boolean;
  /** Where the other device is slow, the next line waits: a script has nobody who could say it again. */
  readonly waitsForRoom: boolean;
  readonly display: Display;
  isOpen(username: string): boolean;
  over(username: string, byMe?: boolean): void;
}

export class PrivateController implements PrivateActions, Disposable {
  readonly #options: PrivateControllerOptions;
  readonly #progress: PrivateProgress;
  readonly #incoming: PrivateIncoming;
  readonly #swapped: ChangedRequests;
  #settled: PromiseWithResolvers<void> | undefined;

  constructor(options: PrivateControllerOptions) {
    this.#options = options;
    const { clock, display } = options;
    this.#swapped = new ChangedRequests(clock);
    this.#progress = new PrivateProgress(clock, () => display.refresh());
    this.#incoming = new PrivateIncoming({ ...options, progress: this.#progress });
  }

  get unread(): Count[] {
    return this.#progress.unread;
  }

  /** What stands beside the prompt of an open private chat. */
  statusOf(username: string): { path: Path | undefined; typing: boolean; mark: Mark | undefined } {
    return {
      path: this.#pathOf(username),
      typing: this.#progress.isTyping(username),
      mark: this.#progress.markOf(username),
    };
  }

  async take(event: PrivateEvent): Promise<void> {
    if (event.type === "requested") this.#swapped.asked(event.username, event.direct);
    await this.#incoming.take(event);
    this.#settled?.resolve();
    this.#settled = undefined;
    this.#options.display.refresh();
  }

  /** Asks for a chat. @param path where the person said it. @throws CommandError */
  async start(username: string, path: PathChoice | undefined): Promise<void> {
    const { chats, settings, me, hasPerson, display } = this.#options;
    if (username === me) throw refuse("That is you.");
    const chosen = path ?? (settings.path === "auto" && !hasPerson ? "relay" : settings.path);
    if (chosen !== "auto" || this.#pathOf(username) !== undefined) {
      await this.#doing(username, () => chats.start(username, { direct: chosen === "direct" }));
      return;
    }
    const lines = [
      "Which way? Nobody was asked yet.",
      `/startprivate ${username} --direct: straight from device to device, so ${username} will see your address.`,
      `/startprivate ${username} --relay: through the server, which sees who and when, and cannot read it.`,
    ];
    display.show({ kind: "answer", lines });
  }

  /** @throws CommandError */
  async accept(username: string, path: PathChoice | undefined, always: boolean): Promise<void> {
    const { chats, settings } = this.#options;
    // A yes without a path is what the question said of it: an address is shown to nobody who was not to see it.
    const isOffered = chats.incomingRequests.some((asked) => asked.username === username && asked.direct);
    const direct = path === undefined ? isOffered && settings.path !== "relay" : path === "direct";
    if (path === undefined && direct && this.#swapped.isSwapped(username)) {
      throw refuse(
        `${username} has just changed the question: a yes would show your address now. ` +
          `/accept ${username} --direct or /accept ${username} --relay answers.`,
      );
    }
    await this.#doing(username, () => chats.answer(username, "accept", { direct, always }));
  }

  tellAlways(username: string): void {
    const always = this.#options.chats.contacts.get(username)?.always ?? "ask";
    if (always !== "ask") this.#answer([alwaysWords(username, always)]);
  }

  /** @throws CommandError */
  async refuse(username: string): Promise<void> {
    const { incomingRequests, contacts } = this.#options.chats;
    const contact = contacts.get(username);
    const asks = incomingRequests.some((one) => one.username === username);
    if (!asks && contact !== undefined && contact.always !== "ask") {
      contacts.save({ ...contact, always: "ask" });
      this.#answer([notAlwaysWords(username, this.#options.settings.answer)]);
      return;
    }
    await this.#doing(username, () => this.#options.chats.answer(username, "refuse"));
    this.#answer([`${username} is told that you do not want a private chat now.`]);
  }

  /** Says a line, or holds it while the other one is being asked. @throws CommandError */
  async say(username: string, text: string): Promise<void> {
    await this.check(username);
    const { chats, display, clock, me, isOpen, waitsForRoom } = this.#options;
    if (waitsForRoom) await this.#room(username);
    const outcome = await this.#doing(username, () => Promise.resolve(chats.send(username, text)));
    if (outcome === "sent") return;
    this.#progress.held(username);
    display.show({
      kind: "message",
      time: clock.now(),
      from: me,
      mine: true,
      place: privately(username),
      content: { kind: "text", text },
      here: isOpen(username),
      waiting: true,
      echo: true,
    });
  }

  /** Resolves when there is room for a line, or will not be soon: one who takes nothing is not to hold up a script for good. */
  async #room(username: string): Promise<void> {
    const { chats, clock } = this.#options;
    const gaveUp = Promise.withResolvers<void>();
    using _timer = clock.after(ROOM_MS, gaveUp.resolve);
    await Promise.race([chats.whenWritable(username), gaveUp.promise]);
  }

  /** @throws CommandError */
  async stop(username: string): Promise<void> {
    if (this.#asks(username)) throw refuse(`${username} is asking you: /refuse ${username} answers.`);
    await this.check(username);
    await this.#doing(username, () => this.#options.chats.stop(username));
  }

  /** @throws CommandError where no chat is open here, which says where it is, if that is known */
  async check(username: string): Promise<void> {
    const { chats, me } = this.#options;
    if (username === me || this.#isThere(username) || this.#asks(username)) return this.#checkOpen(username);
    const found = await chats.findOpenElsewhere(username).catch((error: unknown) => {
      if (error instanceof RpcError && error.reason === "USER_NOT_FOUND")
        throw refuse(failedWords(username, error));
      // What is known here will do.
      if (error instanceof RpcError || error instanceof ConnectError) return undefined;
      throw error;
    });
    // It may have opened meanwhile.
    if (found === undefined || this.#isThere(username)) return this.#checkOpen(username);
    throw refuse(`The private chat with ${username} is open ${whereWords(found)}.`);
  }

  /** There is something to open: a chat, or one that is about to be. */
  canOpen(username: string): boolean {
    return this.#isThere(username);
  }

  /** It is to be shown and written to from now on. @throws CommandError where there is none */
  opened(username: string): void {
    this.#checkOpen(username);
    this.seen(username);
  }

  /** What is on the screen of this chat has been seen. */
  seen(username: string): void {
    this.#progress.seen(username);
    this.#options.chats.markRead(username);
  }

  setTyping(username: string, typing: boolean): void {
    this.#options.chats.setTyping(username, typing);
  }

  /** Open chats, and who asks or is asked. */
  list(): DisplayItem {
    const { openChats, outgoingRequests, incomingRequests, pendingPeers } = this.#options.chats;
    const lines = [
      ...openChats.map(({ username, path }) => `${username}: ${pathWords[path]}`),
      ...outgoingRequests.map((username) => `${username}: is being asked`),
      ...pendingPeers.map((username) => `${username}: was told yes, and is about to come`),
      ...incomingRequests.map(
        ({ username }) => `${username}: asks you, /accept ${username} or /refuse ${username} answers`,
      ),
    ];
    return { kind: "answer", lines: lines.length > 0 ? lines : ["No private chat is open."] };
  }

  /** The code to compare with that user. @throws CommandError, RpcError, ConnectError */
  async verify(username: string, what: "show" | "confirm" | "accept"): Promise<void> {
    const { chats, me } = this.#options;
    if (username === me) throw refuse("That is you: the code is one of two people.");
    const verification = await verificationOf(chats, username);
    const objection = what === "confirm" ? objectionTo(verification) : undefined;
    if (what === "show" || objection !== undefined) {
      const open = chats.openChats.find((chat) => chat.username === username);
      const warnings = open === undefined ? [] : openChatWords(open, verification);
      this.#answer([...verificationWords(verification, undefined), ...warnings]);
      markShown(chats.contacts, verification);
      if (objection !== undefined) throw refuse(objection);
    } else if (what === "confirm") {
      confirm(chats.contacts, verification);
      this.#answer([`The key of ${username} is verified: with any other one a private chat is stopped.`]);
      // The one that is open, too.
      chats.recheckKeys(username);
    } else this.#accept(username, verification);
  }

  /** The last lines that were kept, by an earlier run too. @throws CommandError where none are, nor will be */
  history(username: string, count: number): DisplayItem[] {
    const { me } = this.#options;
    const { lines, kept: store = lines } = this.#options.settings;
    const last = store?.last(username, count) ?? [];
    if (last.length === 0 && lines === undefined) {
      throw refuse("What is said in private is not kept. With --keep-private it is, from then on.");
    }
    if (last.length === 0) {
      return [{ kind: "answer", lines: [`Nothing is kept of private chats with ${username} so far.`] }];
    }
    const place = privately(username);
    const kept = last.map(
      ({ mine, time, text }): DisplayItem => ({
        kind: "message",
        time,
        from: mine ? me : username,
        mine,
        place,
        content: { kind: "text", text },
        here: true,
        waiting: false,
        echo: false,
        whole: true,
      }),
    );
    return [{ kind: "history-heading", place }, ...kept];
  }

  /** Resolves when nobody is being asked or about to come, and everything that was said has arrived or will not. */
  async settled(): Promise<void> {
    const { chats } = this.#options;
    while (chats.outgoingRequests.length > 0 || chats.pendingPeers.length > 0 || this.#progress.underway) {
      this.#settled ??= Promise.withResolvers();
      await this.#settled.promise;
    }
  }

  [Symbol.dispose](): void {
    this.#progress[Symbol.dispose]();
  }

  #accept(username: string, verification: Verification): void {
    const { chats } = this.#options;
    const problem = chats.acceptKeys(username) ?? acceptKeys(chats.contacts, verification);
    if (problem === undefined) {
      throw refuse(`There is nothing to accept: no other key of ${username} has come up.`);
    }
    this.#answer([`${acceptedWords(username, problem)}${this.#nextAfterAccepted(username)}`]);
  }

  /** Who asks cannot be asked, and nor can one with whom a chat is open: advice to do so would end in an error. */
  #nextAfterAccepted(username: string): string {
    if (this.#asks(username)) return ` /accept ${username} answers.`;
    return this.#isThere(username) ? "" : " Ask for the private chat again.";
  }

  /** @throws CommandError where there is nothing to say it in */
  #checkOpen(username: string): void {
    if (username === this.#options.me) throw refuse("That is you.");
    if (this.#isThere(username)) return;
    const hint = this.#asks(username)
      ? `/accept ${username} answers.`
      : `/startprivate ${username} asks for one.`;
    throw refuse(`No private chat with ${username} is open. ${hint}`);
  }

  /** Open, or about to be. */
  #isThere(username: string): boolean {
    const { outgoingRequests, pendingPeers } = this.#options.chats;
    return (
      this.#pathOf(username) !== undefined ||
      outgoingRequests.includes(username) ||
      pendingPeers.includes(username)
    );
  }

  #asks(username: string): boolean {
    return this.#options.chats.incomingRequests.some((asked) => asked.username === username);
  }

  #pathOf(username: string): Path | undefined {
    return this.#options.chats.openChats.find((open) => open.username === username)?.path;
  }

  #answer(lines: readonly string[]): void {
    this.#options.display.show({ kind: "answer", lines });
  }

  /** What cannot be done is an answer, in a person's words. */
  async #doing<T>(username: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof NotSentError) throw refuse(error.message);
      const isTold = error instanceof RpcError || error instanceof KeyProblemError;
      if (isTold && !(error instanceof ConnectError)) throw refuse(failedWords(username, error));
      throw error;
    }
  }
}

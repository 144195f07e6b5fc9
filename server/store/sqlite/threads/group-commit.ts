// Collects writes while the writer is busy, sends them as one group, and reports their outcomes in order.
import { LogFollower, type ReadSince } from "../../log-follower.ts";
import {
  type AppendResult,
  type CommittedEntry,
  type Follower,
  type Following,
  type NewEntry,
  StoreDamagedError,
  StoreUnavailableError,
} from "../../store.ts";
import type { OperationCall } from "../operations/operations.ts";
import { type Group, type GroupResults, type PlacedCall, packAppends, resultAt } from "./group.ts";
import type { GroupAnswer } from "./messages.ts";

interface WaitingAppend {
  readonly entry: NewEntry;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
}

interface WaitingCall {
  readonly call: OperationCall;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export interface GroupLimits {
  /** The most writes in one group. */
  readonly count: number;
  /** The most bytes of content in one group; a single entry may be larger. */
  readonly bytes: number;
}

/** How long a patient write waits for others to share its commit, in milliseconds. */
const patience = 50;

export class GroupCommit {
  readonly #limits: GroupLimits;
  readonly #send: (group: Group) => void;
  /** Called with the number of a commit after its announcement. */
  readonly #onAnnounced: (number: number) => void;
  readonly #followers = new Set<LogFollower>();
  /** The position of the newest entry that was announced. */
  #position: number;
  #waiting: (WaitingAppend | WaitingCall)[] = [];
  #inFlight: { appends: WaitingAppend[]; calls: WaitingCall[] } | undefined;
  #soon: NodeJS.Immediate | undefined;
  #later: NodeJS.Timeout | undefined;
  /** Why writes are refused; undefined while they are accepted. */
  #ended: string | undefined;
  #onIdle: (() => void) | undefined;

  /** @param position the position of the newest entry in the data when it was opened */
  constructor(
    limits: GroupLimits,
    position: number,
    send: (group: Group) => void,
    onAnnounced: (number: number) => void,
  ) {
    this.#limits = limits;
    this.#position = position;
    this.#send = send;
    this.#onAnnounced = onAnnounced;
  }

  /** Announces the groups that are committed from now on. @param read reads what the follower could not take at once */
  follow(follower: Follower, read: ReadSince): Following {
    const following = new LogFollower(this.#position, read, follower, () =>
      this.#followers.delete(following),
    );
    this.#followers.add(following);
    return following;
  }

  append(entry: NewEntry): Promise<AppendResult> {
    if (this.#ended !== undefined) return Promise.reject(new StoreUnavailableError(this.#ended));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject });
      this.#sendSoon();
    });
  }

  /** Performs an operation. A `patient` call waits up to 50 ms for other writes, so that it joins their group. */
  call(call: OperationCall, patient = false): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(new StoreUnavailableError(this.#ended));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, resolve, reject });
      if (patient) this.#later ??= setTimeout(() => this.#sendNext(), patience);
      else this.#sendSoon();
    });
  }

  /** Takes the writer's answer to the group in flight. */
  settle(answer: GroupAnswer): void {
    const group = this.#inFlight;
    if (group === undefined) throw new Error("the writer answered, but no group was sent");
    this.#inFlight = undefined;
    // The writer works on the next group while this one is announced.
    if (this.#waiting.length > 0) this.#sendNext();
    try {
      if (answer.type === "committed") this.#report(group, answer.number, answer.position, answer.results);
      else rejectAll([...group.appends, ...group.calls], answer.message);
    } finally {
      if (this.#waiting.length > 0) this.#sendSoon();
      else if (this.#inFlight === undefined) this.#onIdle?.();
    }
  }

  /** Refuses further writes, and waits until the outcomes of the pending ones are reported. */
  async finish(): Promise<void> {
    this.#ended ??= "the store is closed";
    if (this.#inFlight === undefined && this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      this.#sendSoon();
    });
  }

  /** Rejects all writes, because a thread has ended. */
  fail(reason: string): void {
    this.#ended = reason;
    clearImmediate(this.#soon);
    clearTimeout(this.#later);
    const { appends = [], calls = [] } = this.#inFlight ?? {};
    const waiting = this.#waiting;
    this.#inFlight = undefined;
    this.#waiting = [];
    rejectAll([...appends, ...calls, ...waiting], reason);
    this.#onIdle?.();
  }

  /** Sends the next group at the end of this turn of the event loop, so that all writes of the turn share it. */
  #sendSoon(): void {
    if (this.#inFlight !== undefined || this.#soon !== undefined) return;
    this.#soon = setImmediate(() => this.#sendNext());
  }

  #sendNext(): void {
    clearImmediate(this.#soon);
    clearTimeout(this.#later);
    this.#soon = undefined;
    this.#later = undefined;
    if (this.#inFlight !== undefined || this.#waiting.length === 0) return;
    const appends: WaitingAppend[] = [];
    const calls: WaitingCall[] = [];
    const placed: PlacedCall[] = [];
    for (const waiting of this.#take()) {
      if ("entry" in waiting) {
        appends.push(waiting);
      } else {
        calls.push(waiting);
        placed.push({ ...waiting.call, before: appends.length });
      }
    }
    this.#inFlight = { appends, calls };
    const packed = packAppends(appends.map((append) => append.entry));
    this.#send({ appends: packed, calls: placed });
  }

  /** Takes the next writes, at least one, within the limits of a group. */
  #take(): (WaitingAppend | WaitingCall)[] {
    let count = 0;
    let bytes = 0;
    for (const waiting of this.#waiting) {
      if ("entry" in waiting) bytes += waiting.entry.content.length;
      if (count > 0 && (count >= this.#limits.count || bytes > this.#limits.bytes)) break;
      count += 1;
    }
    if (count < this.#waiting.length) return this.#waiting.splice(0, count);
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  #report(
    group: { appends: WaitingAppend[]; calls: WaitingCall[] },
    number: number,
    position: number,
    results: GroupResults,
  ): void {
    const entries: CommittedEntry[] = [];
    for (const [index, { entry }] of group.appends.entries()) {
      const result = resultAt(results, index);
      if (result.status !== "stored") continue;
      entries.push({
        conversationId: result.conversationId,
        seq: result.seq,
        kind: result.recipientId === 0 ? "broadcast" : "direct",
        senderId: entry.senderId,
        recipientId: result.recipientId === 0 ? undefined : result.recipientId,
        time: result.time,
        content: entry.content,
        deviceId: entry.deviceId,
        clientMessageId: entry.clientMessageId,
        hiddenFrom: result.hiddenFrom,
        withheld: result.withheld,
        isOwn: true,
      });
    }
    try {
      if (entries.length > 0) {
        this.#position = position;
        const committed = { from: position - entries.length + 1, to: position, entries };
        for (const follower of this.#followers) follower.take(committed);
      }
    } finally {
      this.#onAnnounced(number);
      for (const [index, { resolve, reject }] of group.appends.entries()) {
        const { status, conversationId, seq, time, withheld, error } = resultAt(results, index);
        if (status === "failed") reject(new Error(error ?? "the append failed"));
        else if (status === "damaged") reject(new StoreDamagedError(error ?? "the append met damage"));
        else if (status === "stored" || status === "repeated")
          resolve({ status, conversationId, seq, time, withheld });
        else resolve({ status });
      }
      for (const [index, { resolve, reject }] of group.calls.entries()) {
        const result = results.calls[index];
        if (result?.ok) resolve(result.value);
        else if (result?.isDamaged) reject(new StoreDamagedError(result.message));
        else reject(new Error(result?.message ?? "the writer did not run the call"));
      }
    }
  }
}

function rejectAll(waiting: readonly { reject: (error: Error) => void }[], reason: string): void {
  for (const { reject } of waiting) reject(new StoreUnavailableError(reason));
}

// Whether the user is looking at the terminal, and how many messages arrived while not: for read marks, bell and title.
import type { Clock } from "../../../../time/clock.ts";

/** For which messages the bell rings: none, direct ones, or broadcasts too. */
export type BellSetting = "never" | "direct" | "all";

/** The bell rings at most once in this time, ms. */
const RING_MS = 1_000;
/** If a terminal does not report its focus, a user who entered nothing for this long counts as away, ms. */
const IDLE_MS = 60_000;

export class Attention {
  readonly #bell: BellSetting;
  readonly #clock: Clock;
  #focus: "in" | "out" | "unknown" = "unknown";
  #lastActivity: number;
  #lastRing = Number.NEGATIVE_INFINITY;
  /** Messages that arrived while the user was away. */
  unseen = 0;

  constructor(bell: BellSetting, clock: Clock) {
    this.#bell = bell;
    this.#clock = clock;
    this.#lastActivity = clock.monotonic();
  }

  /** Whether the user sees the screen now. A terminal that does not report its focus counts as seen. */
  get sees(): boolean {
    return this.#focus !== "out";
  }

  focus(focused: boolean): void {
    this.#focus = focused ? "in" : "out";
    if (focused) this.activity();
  }

  /** The user entered something. */
  activity(): void {
    this.#lastActivity = this.#clock.monotonic();
    this.unseen = 0;
  }

  /** Counts a message that arrived; returns whether to ring the bell. */
  arrived(kind: "direct" | "broadcast"): boolean {
    if (this.#isPresent || (kind === "broadcast" && this.#bell !== "all")) return false;
    this.unseen += 1;
    const now = this.#clock.monotonic();
    if (this.#bell === "never" || now - this.#lastRing < RING_MS) return false;
    this.#lastRing = now;
    return true;
  }

  get #isPresent(): boolean {
    if (this.#focus !== "unknown") return this.#focus === "in";
    return this.#clock.monotonic() - this.#lastActivity < IDLE_MS;
  }
}

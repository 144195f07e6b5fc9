// Whether the person is looking, and what came while not: for read marks, the bell and the title.
import type { Clock } from "../model/clock.ts";

/** What rings: nothing, direct messages, or broadcasts too. */
export type BellSetting = "never" | "direct" | "all";

/** What comes together rings once, ms. */
const RING_MS = 1_000;
/** Where a terminal does not tell its focus, a person who entered nothing for so long may be away, ms. */
const IDLE_MS = 60_000;

export class Attention {
  readonly #bell: BellSetting;
  readonly #clock: Clock;
  #focus: "in" | "out" | "unknown" = "unknown";
  #lastActivity: number;
  #lastRing = Number.NEGATIVE_INFINITY;
  /** Messages that came while the person was away. */
  unseen = 0;

  constructor(bell: BellSetting, clock: Clock) {
    this.#bell = bell;
    this.#clock = clock;
    this.#lastActivity = clock.now().getTime();
  }

  /** What stands on the screen now is seen. A terminal that says nothing of its focus counts as looked at. */
  get sees(): boolean {
    return this.#focus !== "out";
  }

  focus(focused: boolean): void {
    this.#focus = focused ? "in" : "out";
    if (focused) this.activity();
  }

  /** The person did something. */
  activity(): void {
    this.#lastActivity = this.#clock.now().getTime();
    this.unseen = 0;
  }

  /** Takes note of a message, and says whether to ring. */
  arrived(kind: "direct" | "broadcast"): boolean {
    if (this.#isHere || (kind === "broadcast" && this.#bell !== "all")) return false;
    this.unseen += 1;
    const now = this.#clock.now().getTime();
    if (this.#bell === "never" || now - this.#lastRing < RING_MS) return false;
    this.#lastRing = now;
    return true;
  }

  get #isHere(): boolean {
    if (this.#focus !== "unknown") return this.#focus === "in";
    return this.#clock.now().getTime() - this.#lastActivity < IDLE_MS;
  }
}

// Whether the person is looking, and what came while not: for read marks, the bell and the title.
import type { Clock } from "./clock.ts";

/** What rings: nothing, direct messages, or broadcasts too. */
export type BellSetting = "never" | "direct" | "all";

/** Where a terminal does not tell its focus, a person who entered nothing for so long may be away, ms. */
const IDLE_MS = 60_000;

export class Attention {
  readonly #bell: BellSetting;
  readonly #clock: Clock;
  #focus: "in" | "out" | "unknown" = "unknown";
  #lastActivity: number;
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
    return this.#bell !== "never";
  }

  get #isHere(): boolean {
    if (this.#focus !== "unknown") return this.#focus === "in";
    return this.#clock.now().getTime() - this.#lastActivity < IDLE_MS;
  }
}

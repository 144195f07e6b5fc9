// Buses between nodes of one process: one that delivers everything at once, and one that does not.
import type { Bus } from "../../server/bus/bus.ts";

type Listener = (message: Uint8Array) => void;

/** Delivers each message to all other ends before `publish` returns. */
export class SharedBus {
  readonly #listeners = new Map<object, Set<Listener>>();

  /** The end of one node. */
  end(): Bus {
    const own = new Set<Listener>();
    const key = {};
    this.#listeners.set(key, own);
    return {
      publish: (message) => this.send(key, message),
      subscribe: (listener) => {
        own.add(listener);
        return Promise.resolve({ [Symbol.dispose]: () => own.delete(listener) });
      },
      [Symbol.asyncDispose]: () => {
        this.#listeners.delete(key);
        return Promise.resolve();
      },
    };
  }

  /** Sends the message of the end `from` to all others. */
  protected send(from: object, message: Uint8Array): void {
    for (const [key, listeners] of this.#listeners) {
      if (key === from) continue;
      for (const listener of listeners) listener(message);
    }
  }
}

/** What happens to a message. */
export type Fault = "none" | "lost" | "doubled" | "delayed";

/** Delivers as the faults say. A delayed message arrives after the next three that are sent. */
export class FaultyBus extends SharedBus {
  readonly #fault: () => Fault;
  #delayed: { readonly deliver: () => void; after: number }[] = [];

  constructor(fault: () => Fault) {
    super();
    this.#fault = fault;
  }

  protected override send(from: object, message: Uint8Array): void {
    this.#sendNow(from, message);
    for (const each of this.#delayed) each.after -= 1;
    const due = this.#delayed.filter(({ after }) => after < 0);
    this.#delayed = this.#delayed.filter(({ after }) => after >= 0);
    for (const { deliver } of due) deliver();
  }

  #sendNow(from: object, message: Uint8Array): void {
    switch (this.#fault()) {
      case "lost":
        return;
      case "doubled":
        super.send(from, message);
        super.send(from, message);
        return;
      case "delayed":
        this.#delayed.push({ deliver: () => super.send(from, message), after: 3 });
        return;
      case "none":
        super.send(from, message);
    }
  }
}

/** Loses, doubles and delays a tenth of all messages each. The same seed gives the same faults. */
export function unreliableBus(seed: number): FaultyBus {
  let state = seed;
  const random = (): number => {
    // A linear congruential generator, with the constants of Numerical Recipes.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return new FaultyBus(() => {
    const at = random();
    if (at < 0.1) return "lost";
    if (at < 0.2) return "doubled";
    return at < 0.3 ? "delayed" : "none";
  });
}

// The bus of a server with a single node: it calls the subscribers directly.
import type { Bus, BusMessage, Topic } from "./bus.ts";

type Listener = (message: BusMessage) => void;

export class InProcessBus implements Bus {
  readonly #listeners = new Map<Topic, Set<Listener>>();

  publish(topic: Topic, message: BusMessage): void {
    const listeners = this.#listeners.get(topic);
    if (listeners === undefined) return;
    for (const listener of listeners) listener(message);
  }

  subscribe(topic: Topic, listener: Listener): Disposable {
    let listeners = this.#listeners.get(topic);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(topic, listeners);
    }
    listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        if (listeners.size === 0 && this.#listeners.get(topic) === listeners) this.#listeners.delete(topic);
      },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
    return Promise.resolve();
  }
}

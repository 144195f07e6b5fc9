// The end of the bus on this node: delivers messages by topic to the subscribers on this node, and to the other nodes.
import type { Bus, BusMessage, Topic } from "./bus.ts";
import { decodeMessage, encodeMessage } from "./wire.ts";

type Listener = (message: BusMessage) => void;

export class NodeBus implements Disposable {
  readonly #listeners = new Map<Topic, Set<Listener>>();
  /** Undefined for a server with one node. */
  #bus: Bus | undefined;
  #subscription: Disposable | undefined;

  /**
   * Connects this node with the others. Resolves when their messages arrive.
   * @param onUnreadable called with the error for each message that cannot be decoded, which is dropped
   */
  async connect(bus: Bus, onUnreadable: (error: unknown) => void): Promise<void> {
    this.#bus = bus;
    this.#subscription = await bus.subscribe((bytes) => {
      let received: ReturnType<typeof decodeMessage>;
      try {
        received = decodeMessage(bytes);
      } catch (error) {
        onUnreadable(error);
        return;
      }
      if (received !== undefined) this.#deliver(received.topic, received.message);
    });
  }

  /**
   * Sends the message to all present subscribers of the topic. Subscribers on this node receive it before the method
   * returns, in the order of the calls; other nodes as the Bus says. Never throws; a listener must not throw.
   */
  publish(topic: Topic, message: BusMessage): void {
    this.#deliver(topic, message);
    this.#bus?.publish(encodeMessage(topic, message));
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

  [Symbol.dispose](): void {
    this.#subscription?.[Symbol.dispose]();
    this.#listeners.clear();
  }

  #deliver(topic: Topic, message: BusMessage): void {
    const listeners = this.#listeners.get(topic);
    if (listeners === undefined) return;
    for (const listener of listeners) listener(message);
  }
}

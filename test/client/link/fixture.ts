// Opens links for the tests, with a reader that picks events.
import { type Link, openLink } from "../../../client/link/link.ts";
import type { LinkOptions } from "../../../client/link/link-options.ts";
import type { EntryArrived, LinkEvent } from "../../../client/link/model/events.ts";
import { Endpoint, type EndpointOptions } from "../../../client/link/server/endpoint.ts";

export const toYoda = { kind: "user", username: "yoda" } as const;

/** Reconnects without a delay. */
export const noDelay = { baseMs: 1, capMs: 1 };

export interface Opened extends AsyncDisposable {
  readonly link: Link;
  readonly endpoint: Endpoint;
  /** Reads events until one has that type, and returns it. */
  next<T extends LinkEvent["type"]>(type: T): Promise<Extract<LinkEvent, { type: T }>>;
  /** Reads events until the state has that phase, and returns the state. */
  phase(phase: string): Promise<Extract<LinkEvent, { type: "state" }>["state"]>;
  /** Reads events until it has this many entries, and returns them. */
  entries(count: number): Promise<EntryArrived[]>;
  /** Reads events until one is about a log, and returns it. */
  log(): Promise<Extract<LinkEvent, { type: "entry" | "omitted" | "gap" }>>;
  /** Every event that was read. */
  readonly taken: LinkEvent[];
}

export function open(
  server: { readonly address: string },
  options: Partial<LinkOptions> = {},
  more: Partial<EndpointOptions> = {},
): Opened {
  const endpoint = new Endpoint({
    address: server.address,
    trust: { kind: "plaintext" },
    connectTimeoutMs: 5_000,
    ...more,
  });
  const link = openLink({ endpoint, token: "token", backoff: noDelay, ...options });
  const events = link.events[Symbol.asyncIterator]();
  const taken: LinkEvent[] = [];
  const take = async (): Promise<LinkEvent> => {
    const next = await events.next();
    if (next.done === true) throw new Error("The link ended.");
    taken.push(next.value);
    return next.value;
  };
  const phase: Opened["phase"] = async (wanted) => {
    for (;;) {
      const event = await take();
      if (event.type === "state" && event.state.phase === wanted) return event.state;
    }
  };
  return {
    link,
    endpoint,
    taken,
    phase,
    next: async (type) => {
      for (;;) {
        const event = await take();
        if (event.type === type) return event as never;
      }
    },
    entries: async (count) => {
      const entries: EntryArrived[] = [];
      while (entries.length < count) {
        const event = await take();
        if (event.type === "entry") entries.push(event);
      }
      return entries;
    },
    log: async () => {
      for (;;) {
        const event = await take();
        if (event.type === "entry" || event.type === "omitted" || event.type === "gap") return event;
      }
    },
    [Symbol.asyncDispose]: async () => {
      await link[Symbol.asyncDispose]();
      await endpoint[Symbol.asyncDispose]();
    },
  };
}

export function seqs(entries: readonly EntryArrived[]): number[] {
  return entries.map(({ seq }) => Number(seq));
}

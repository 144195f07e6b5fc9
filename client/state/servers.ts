// The known servers: how each is authenticated, and the addresses at which it was reached.
import type { DatabaseSync } from "node:sqlite";
import type { Trust } from "../../rpc/dialling/dial.ts";
import { transact } from "./database.ts";
import { integer, type Row, text, textOrNull } from "./rows.ts";

export interface KnownServer {
  /** One of the server's addresses, HOST:PORT. */
  readonly address: string;
  /** How the server is authenticated, at all of its addresses. */
  readonly trust: Trust;
}

/** The key that a server presented: see `probe`. */
export interface ServerKey {
  readonly fingerprint: string;
  readonly trustedBySystem: boolean;
}

export class Servers {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** The server with that address; without an address, the server that was used last, at the address used last. */
  find(address?: string): KnownServer | undefined {
    const row = this.#db
      .prepare(
        `SELECT address, trust, fingerprint FROM addresses JOIN servers USING (server_key)
         WHERE ?1 IS NULL OR address = ?1 ORDER BY last_used_time DESC LIMIT 1`,
      )
      .get(address ?? null);
    return row === undefined ? undefined : { address: text(row, "address"), trust: trustOf(row) };
  }

  /**
   * The known server with this key, if any; it may have been reached at another address before. A server that
   * authorities vouch for also needs a certificate that is valid for the new address.
   */
  withKey(key: ServerKey): KnownServer | undefined {
    const row = this.#db
      .prepare(
        `SELECT address, trust, fingerprint FROM addresses JOIN servers USING (server_key)
         WHERE fingerprint = ?1 AND (trust = 'pin' OR (trust = 'system' AND ?2)) ORDER BY last_used_time DESC LIMIT 1`,
      )
      .get(key.fingerprint, key.trustedBySystem ? 1 : 0);
    return row === undefined ? undefined : { address: text(row, "address"), trust: trustOf(row) };
  }

  /**
   * Stores how to authenticate the server at the address, in place of the earlier setting. If the address is new and the
   * server is known by its key, it becomes one more address of that server.
   * @param key the key that the server presented, if it was probed
   */
  remember(address: string, trust: Trust, key?: ServerKey): void {
    transact(this.#db, () => {
      const fingerprint = trust.kind === "pin" ? trust.fingerprint : (key?.fingerprint ?? null);
      const before = keyOf(this.#db, address);
      if (before !== undefined) {
        this.#db
          .prepare(
            "UPDATE servers SET trust = ?, fingerprint = coalesce(?, fingerprint) WHERE server_key = ?",
          )
          .run(trust.kind, fingerprint, before);
        touchServer(this.#db, address);
        return;
      }
      const same = key === undefined ? undefined : this.withKey(key);
      const serverKey =
        (same === undefined ? undefined : keyOf(this.#db, same.address)) ?? this.#add(trust, fingerprint);
      this.#db
        .prepare("INSERT INTO addresses (address, server_key, last_used_time) VALUES (?, ?, ?)")
        .run(address, serverKey, nextUse(this.#db));
    });
  }

  #add(trust: Trust, fingerprint: string | null): number {
    const { lastInsertRowid } = this.#db
      .prepare("INSERT INTO servers (trust, fingerprint) VALUES (?, ?)")
      .run(trust.kind, fingerprint);
    return Number(lastInsertRowid);
  }
}

/** The key in the table `servers` of the server with that address. */
export function keyOf(db: DatabaseSync, address: string): number | undefined {
  const row = db.prepare("SELECT server_key FROM addresses WHERE address = ?").get(address);
  return row === undefined ? undefined : integer(row, "server_key");
}

export function touchServer(db: DatabaseSync, address: string): void {
  db.prepare("UPDATE addresses SET last_used_time = ? WHERE address = ?").run(nextUse(db), address);
}

/** The current time, or 1 ms after the last use, so that two uses within a millisecond keep their order. */
export function nextUse(db: DatabaseSync): number {
  const row = db
    .prepare(
      `SELECT max(coalesce((SELECT max(last_used_time) FROM addresses), 0),
                  coalesce((SELECT max(last_used_time) FROM profiles), 0)) AS latest`,
    )
    .get();
  return Math.max(Date.now(), row === undefined ? 0 : integer(row, "latest") + 1);
}

export function trustOf(row: Row): Trust {
  const kind = text(row, "trust");
  if (kind === "pin") return { kind, fingerprint: textOrNull(row, "fingerprint") ?? "" };
  if (kind === "system" || kind === "plaintext") return { kind };
  throw new Error(`The state file has an unknown kind of trust: ${kind}`);
}

// Page sizes and page tokens. A token is opaque to clients, and valid only for requests that differ in nothing but the
// page token and the page size.
import { createHash } from "node:crypto";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { limits } from "../../limits.ts";
import { Refusal } from "../../reasons.ts";

/** The page size to use: the default for 0, and at most `most`. */
export function pageSize(asked: number, byDefault: number, most: number): number {
  return asked === 0 ? byDefault : Math.min(asked, most);
}

/** What a response has besides its items, bytes: page token, ids, a user. */
const REST_BYTES = 2048;
/** The tag and the length of an item. */
const ITEM_OVERHEAD = 8;

interface Page<Row, Item> {
  readonly items: Item[];
  /** The row of the last item, after which the next page begins; undefined if this is the last page. */
  readonly next: Row | undefined;
}

/**
 * Makes a page of at most `size` items and limits.pageBytes, but of at least one item.
 * @param rows one row more than `size`, if there are as many
 */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  size: number,
  toItem: (row: Row) => Item,
  encoder: { encode(item: Item): { finish(): Uint8Array } },
): Page<Row, Item> {
  const items: Item[] = [];
  let left = limits.pageBytes - REST_BYTES;
  for (const row of rows.slice(0, size)) {
    const item = toItem(row);
    left -= encoder.encode(item).finish().length + ITEM_OVERHEAD;
    if (left < 0 && items.length > 0) break;
    items.push(item);
  }
  return { items, next: rows.length > items.length ? rows[items.length - 1] : undefined };
}

/** Makes and reads the page tokens of one request. */
export class PageTokens {
  readonly #scope: string;

  /** @param scope the method, the user, and all fields of the request except page size and page token */
  constructor(...scope: (string | number | bigint)[]) {
    this.#scope = createHash("sha256").update(scope.join("\0")).digest("base64url").slice(0, 8);
  }

  /** @param key identifies the position at which the next page begins */
  make(key: string): string {
    return this.#scope + Buffer.from(key).toString("base64url");
  }

  /** @returns the key of the token, or undefined for the first page. @throws Refusal PAGE_TOKEN_INVALID */
  read(token: string): string | undefined {
    if (token === "") return undefined;
    const encoded = token.slice(this.#scope.length);
    const key = Buffer.from(encoded, "base64url").toString();
    if (!token.startsWith(this.#scope) || Buffer.from(key).toString("base64url") !== encoded) {
      throw new Refusal(Reason.PAGE_TOKEN_INVALID, { field: "page_token" });
    }
    return key;
  }

  /** Like read, for keys that are numbers. */
  readNumber(token: string): number | undefined {
    const key = this.read(token);
    if (key === undefined) return undefined;
    const value = Number(key);
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new Refusal(Reason.PAGE_TOKEN_INVALID, { field: "page_token" });
    }
    return value;
  }
}

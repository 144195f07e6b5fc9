// Passwords: preparation by RFC 8265 OpaqueString, and Argon2id hashes, never more than a few at work at once.
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { limits } from "../limits.ts";
import { firstForbidden } from "./precis.ts";

const argon2Async = promisify(argon2);

/** Too many passwords, or too many of one name, wait to be checked; nothing was checked. Try again in a moment. */
export class OverloadedError extends Error {
  override name = "OverloadedError";
}

export type NewPassword = { ok: true } | { ok: false; problem: string };

export interface PasswordsOptions {
  /** Hashes at work at once. They run on the thread pool that also serves files and names: leave it room. */
  readonly concurrency?: number;
  /** Hashes that may wait; beyond it, OverloadedError. */
  readonly queue?: number;
}

interface Cost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
}

interface PasswordHash extends Cost {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** OWASP's minimum for Argon2id; some 15 ms. */
const COST: Cost = { memoryKiB: 19 * 1024, passes: 2, lanes: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const LEAST_CHARACTERS = 8;

export class Passwords {
  readonly #concurrency: number;
  readonly #queueBound: number;
  readonly #waiting: (() => void)[] = [];
  #atWork = 0;
  /** Nobody's password: what is compared with when there is no user. */
  readonly #nothing: PasswordHash = { ...COST, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };

  constructor({ concurrency = 2, queue = 50 }: PasswordsOptions = {}) {
    this.#concurrency = concurrency;
    this.#queueBound = queue;
  }

  /**
   * Whether this may become somebody's password: 8 characters to 256 bytes of RFC 8264's freeform class. Passwords
   * that are entered or imported need only be 1 to 256 bytes.
   */
  checkNew(password: string): NewPassword {
    const prepared = prepare(password);
    if (Buffer.byteLength(prepared) > limits.passwordBytes) {
      return { ok: false, problem: `A password has at most ${limits.passwordBytes} bytes.` };
    }
    if ([...prepared].length < LEAST_CHARACTERS) {
      return { ok: false, problem: `A password has at least ${LEAST_CHARACTERS} characters.` };
    }
    if (firstForbidden(prepared, "freeform") !== undefined) {
      return { ok: false, problem: "A password cannot contain control or invisible characters." };
    }
    return { ok: true };
  }

  /**
   * A PHC string with a fresh salt.
   * @throws OverloadedError
   * @throws RangeError if the password is not 1 to 256 bytes
   */
  async hash(password: string): Promise<string> {
    const prepared = prepare(password);
    if (!isBounded(prepared)) throw new RangeError(`a password has 1 to ${limits.passwordBytes} bytes`);
    const salt = randomBytes(SALT_BYTES);
    return format({ ...COST, salt, hash: await this.#derive(prepared, { ...COST, salt }, HASH_BYTES) });
  }

  /**
   * Whether this is the password behind the PHC string; in constant time for strings of equal cost.
   * @throws OverloadedError
   * @throws Error if the string is no PHC string of Argon2id
   */
  async verify(password: string, phc: string): Promise<boolean> {
    return this.#compare(password, parse(phc));
  }

  /** The work of verify, for a name that nobody has. @throws OverloadedError */
  async verifyAgainstNothing(password: string): Promise<false> {
    await this.#compare(password, this.#nothing);
    return false;
  }

  /** Whether the string was made with another cost than today's: hash the password anew at its next log-in. */
  needsRehash(phc: string): boolean {
    const { memoryKiB, passes, lanes, hash } = parse(phc);
    return (
      memoryKiB !== COST.memoryKiB ||
      passes !== COST.passes ||
      lanes !== COST.lanes ||
      hash.length !== HASH_BYTES
    );
  }

  async #compare(password: string, stored: PasswordHash): Promise<boolean> {
    const prepared = prepare(password);
    // One that cannot be anyone's costs the same as a wrong one, but for its length.
    const bounded = isBounded(prepared);
    const derived = await this.#derive(bounded ? prepared : "", stored, stored.hash.length);
    return timingSafeEqual(derived, stored.hash) && bounded;
  }

  async #derive(prepared: string, cost: Cost & { salt: Buffer }, bytes: number): Promise<Buffer> {
    await this.#enter();
    try {
      const parameters: Argon2Parameters = {
        message: prepared,
        nonce: cost.salt,
        memory: cost.memoryKiB,
        passes: cost.passes,
        parallelism: cost.lanes,
        tagLength: bytes,
      };
      return await argon2Async("argon2id", parameters);
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#atWork < this.#concurrency) {
      this.#atWork++;
      return;
    }
    if (this.#waiting.length >= this.#queueBound) throw new OverloadedError("too many passwords to check");
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Hands the place over to who waits longest. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#atWork--;
    else next();
  }
}

/**
 * OpaqueString, RFC 8265 section 4.2.2: spaces of any kind become U+0020, then NFC. Its freeform class is required of
 * new passwords only (checkNew): what somebody imported must still be enterable.
 */
function prepare(password: string): string {
  // Before any work on it: a text far beyond the bound is cut, and stays beyond it.
  return password
    .slice(0, 4 * limits.passwordBytes)
    .replace(/\p{Zs}/gu, " ")
    .normalize("NFC");
}

function isBounded(prepared: string): boolean {
  return prepared !== "" && Buffer.byteLength(prepared) <= limits.passwordBytes;
}

function format({ memoryKiB, passes, lanes, salt, hash }: PasswordHash): string {
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${unpadded(salt)}$${unpadded(hash)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

function parse(phc: string): PasswordHash {
  const match =
    /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([\w+/-]{11,86})\$([\w+/-]{16,86})$/.exec(phc);
  if (match === null) throw new Error("the stored password hash is no PHC string of Argon2id");
  const [, memory = "", passes = "", lanes = "", salt = "", hash = ""] = match;
  return {
    memoryKiB: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    salt: Buffer.from(salt, "base64"),
    hash: Buffer.from(hash, "base64"),
  };
}

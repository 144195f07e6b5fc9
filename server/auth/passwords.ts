// Passwords: prepared as RFC 8265 OpaqueString and hashed with Argon2id, few at the same time and in fair turns.
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { limits } from "../limits.ts";
import type { Facts } from "../reasons.ts";
import { easyToGuess } from "./choices/easy-passwords.ts";
import { type Asker, FairQueue } from "./load/fair-queue.ts";
import { firstForbidden } from "./precis.ts";

const argon2Async = promisify(argon2);

export type NewPassword = { ok: true } | { ok: false; problem: string; facts?: Facts };

/** What one Argon2id hash costs. */
export interface PasswordCost {
  /** The memory to use, in KiB; at least 8 for each lane. */
  readonly memoryKiB: number;
  /** At least 1. */
  readonly passes: number;
  /** At least 1. */
  readonly lanes: number;
}

export interface PasswordsOptions {
  /**
   * The cost of new hashes. A stored hash is verified with its own cost. The default is OWASP's minimum for Argon2id.
   */
  readonly cost?: PasswordCost | undefined;
  /**
   * The number of hashes computed at the same time. The default leaves a core to the event loop and to the store. It must
   * be less than the size of the thread pool, on which file access and name resolution run too.
   */
  readonly concurrency?: number | undefined;
  /** The number of hashes that may wait in each lane; one beyond it is rejected with OverloadedError. */
  readonly queue?: number | undefined;
  /** The number of hashes that may wait for one network or one user. */
  readonly queueOfOne?: number | undefined;
}

/** Work of the server itself, or of its operator. */
const OWN_WORK: Asker = { lane: "known", key: "own" };

interface PasswordHash extends PasswordCost {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** OWASP's minimum for Argon2id; about 15 ms on a machine of 2024. */
const DEFAULT_COST: PasswordCost = { memoryKiB: 19 * 1024, passes: 2, lanes: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const LEAST_CHARACTERS = 8;

export class Passwords {
  readonly #cost: PasswordCost;
  readonly #queue: FairQueue;
  /** A hash of no password, to compare with when the user does not exist. */
  readonly #noPassword: PasswordHash;

  constructor({ cost = DEFAULT_COST, concurrency, queue, queueOfOne }: PasswordsOptions = {}) {
    this.#cost = cost;
    this.#queue = new FairQueue({
      places: concurrency ?? (availableParallelism() > 2 ? 2 : 1),
      waiting: queue ?? limits.passwordsWaiting,
      waitingOfKey: queueOfOne ?? limits.passwordsWaitingOfOne,
    });
    this.#noPassword = { ...cost, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };
  }

  /**
   * Checks whether a user may choose this password: at least 8 characters and at most 256 bytes, all in RFC 8264's
   * freeform class, and not easy to guess. Passwords that are entered or imported need only be 1 to 256 bytes.
   */
  checkNew(password: string, username: string): NewPassword {
    const prepared = prepare(password);
    if (Buffer.byteLength(prepared) > limits.passwordBytes) {
      const facts = { maximum: limits.passwordBytes, unit: "bytes" };
      return { ok: false, problem: `A password has at most ${limits.passwordBytes} bytes.`, facts };
    }
    if ([...prepared].length < LEAST_CHARACTERS) {
      const facts = { minimum: LEAST_CHARACTERS, unit: "characters" };
      return { ok: false, problem: `A password has at least ${LEAST_CHARACTERS} characters.`, facts };
    }
    if (firstForbidden(prepared, "freeform") !== undefined) {
      return { ok: false, problem: "A password cannot contain control or invisible characters." };
    }
    const problem = easyToGuess(prepared, username);
    if (problem !== undefined) return { ok: false, problem };
    return { ok: true };
  }

  /**
   * Hashes a password with a fresh salt.
   * @returns a PHC string, which contains the cost
   * @throws OverloadedError
   * @throws RangeError if the password is not 1 to 256 bytes
   */
  async hash(password: string, asker: Asker = OWN_WORK): Promise<string> {
    const prepared = prepare(password);
    if (!isBounded(prepared)) throw new RangeError(`a password has 1 to ${limits.passwordBytes} bytes`);
    const salt = randomBytes(SALT_BYTES);
    const hash = await this.#derive(prepared, { ...this.#cost, salt }, HASH_BYTES, asker);
    return format({ ...this.#cost, salt, hash });
  }

  /**
   * Checks a password against a PHC string. It takes the same time for right and wrong passwords.
   * @throws OverloadedError
   * @throws Error if the string is not a PHC string of Argon2id
   */
  async verify(password: string, phc: string, asker: Asker = OWN_WORK): Promise<boolean> {
    return this.#compare(password, parse(phc), asker);
  }

  /**
   * Does the work of `verify` for a name that does not exist, so that both take the same time. @throws OverloadedError
   */
  async verifyAgainstNothing(password: string, asker: Asker = OWN_WORK): Promise<false> {
    await this.#compare(password, this.#noPassword, asker);
    return false;
  }

  /**
   * Whether the cost of the hash differs from that of new hashes. If so, hash the password again at the next log-in.
   */
  needsRehash(phc: string): boolean {
    const { memoryKiB, passes, lanes, hash } = parse(phc);
    return (
      memoryKiB !== this.#cost.memoryKiB ||
      passes !== this.#cost.passes ||
      lanes !== this.#cost.lanes ||
      hash.length !== HASH_BYTES
    );
  }

  async #compare(password: string, stored: PasswordHash, asker: Asker): Promise<boolean> {
    const prepared = prepare(password);
    // A password outside the bounds is wrong for every user. It is hashed all the same, so that its check takes as
    // long.
    const bounded = isBounded(prepared);
    const derived = await this.#derive(bounded ? prepared : "", stored, stored.hash.length, asker);
    return timingSafeEqual(derived, stored.hash) && bounded;
  }

  #derive(
    prepared: string,
    cost: PasswordCost & { salt: Buffer },
    bytes: number,
    asker: Asker,
  ): Promise<Buffer> {
    const parameters: Argon2Parameters = {
      message: prepared,
      nonce: cost.salt,
      memory: cost.memoryKiB,
      passes: cost.passes,
      parallelism: cost.lanes,
      tagLength: bytes,
    };
    return this.#queue.run(asker, () => argon2Async("argon2id", parameters));
  }
}

/**
 * OpaqueString, RFC 8265 section 4.2.2: spaces of any kind become U+0020, then NFC. Only new passwords must be of the
 * freeform class (see checkNew), so that users can enter imported passwords whatever these contain.
 */
function prepare(password: string): string {
  // Cutting a very long text bounds the work. What is left is still too long for a password.
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
  if (match === null) throw new Error("the stored password hash is not a PHC string of Argon2id");
  const [, memory = "", passes = "", lanes = "", salt = "", hash = ""] = match;
  return {
    memoryKiB: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    salt: Buffer.from(salt, "base64"),
    hash: Buffer.from(hash, "base64"),
  };
}

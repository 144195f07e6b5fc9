// Compresses long answers of unary calls on the threads of zlib, if the client accepts it.
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { acceptedEncodings } from "../grpc-js-internals.ts";

/** The one encoding of answers. Every gRPC library that decompresses at all knows it. */
export const ENCODING = "gzip";

/** A shorter answer is sent as it is, since compression would save little, bytes. */
const SHORTEST = 4 * 1024;
/**
 * How many answers are compressed at the same time. It is less than the threads that Node has for such work, because
 * password hashes need some too. Further answers are sent as they are.
 */
const AT_ONCE = 2;

const gzipAsync = promisify(gzip);
let running = 0;

/** The compressed answer, or undefined if the answer is to be sent as it is. Never rejects. */
export async function compressedAnswer(call: object, answer: Buffer): Promise<Buffer | undefined> {
  if (answer.length <= SHORTEST || running >= AT_ONCE || !acceptedEncodings(call).includes(ENCODING)) {
    return undefined;
  }
  running++;
  try {
    // Higher levels cost several times the CPU time and save few more bytes of short texts.
    const compressed = await gzipAsync(answer, { level: constants.Z_BEST_SPEED });
    return compressed.length < answer.length ? compressed : undefined;
  } catch {
    // The answer itself is correct, so a failure of zlib (out of memory) costs only the compression.
    return undefined;
  } finally {
    running--;
  }
}

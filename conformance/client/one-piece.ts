// Sends several messages of a call in one HTTP/2 DATA frame, as clients in other languages do; grpc-js does not.
import type { EventEmitter } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import type { TLSSocket } from "node:tls";
import { ChatServiceService } from "../../gen/parley/chat/v1/chat_service.ts";
import { ConnectError, fingerprintOf, probe } from "../../rpc/dialling/dial.ts";
import type { Server } from "./connection.ts";

const PROBE_MS = 10_000;

export interface PieceCall extends Disposable {
  /** Sends these messages in one DATA frame. */
  write(messages: readonly Uint8Array[]): void;
}

/**
 * Opens a Connect stream on a separate connection. Resolves when the server has answered the first message; the answer
 * is not checked.
 * @throws ConnectError if the server is not the same as before, or cannot be reached
 */
export async function connectInPieces(server: Server, token: string, first: Uint8Array): Promise<PieceCall> {
  const session = await open(server);
  const stream = session.request({
    ":method": "POST",
    ":path": ChatServiceService.connect.path,
    "content-type": "application/grpc",
    te: "trailers",
    authorization: `Bearer ${token}`,
  });
  // Errors can be ignored here: a check fails when its messages do not arrive.
  stream.on("error", () => {});
  const write = (messages: readonly Uint8Array[]): void =>
    void stream.write(Buffer.concat(messages.map(framed)));
  write([first]);
  await either(stream, "data", "end", "close");
  stream.resume();
  return { write, [Symbol.dispose]: () => session.destroy() };
}

async function open({ address, trust }: Server): Promise<ClientHttp2Session> {
  const isPlain = trust.kind === "plaintext";
  const expected = isPlain ? undefined : await keyOf({ address, trust });
  const session = connect(`${isPlain ? "http" : "https"}://${address}`, { rejectUnauthorized: false });
  let failure: Error | undefined;
  session.on("error", (error) => (failure = error));
  await either(session, "connect", "close");
  if (session.destroyed) {
    const message = `${address} cannot be reached any more: ${failure?.message ?? "it closed the connection"}.`;
    throw new ConnectError({ kind: "unreachable", message, cause: failure });
  }
  const certificate = isPlain ? undefined : (session.socket as TLSSocket).getPeerX509Certificate();
  if (!isPlain && (!certificate || fingerprintOf(certificate.toString()) !== expected)) {
    session.destroy();
    throw new ConnectError({ kind: "untrusted", message: `${address} is not the same server as before.` });
  }
  return session;
}

/** Resolves with the first of these events. "close" follows an "error", so waiting for it is enough. */
function either(emitter: EventEmitter, ...events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    for (const event of events) emitter.once(event, () => resolve());
  });
}

/** The fingerprint of the key that the server must have. */
async function keyOf({ address, trust }: Pick<Server, "address" | "trust">): Promise<string | undefined> {
  if (trust.kind === "pin") return trust.fingerprint;
  const authorities = trust.kind === "authority" ? { authorities: trust.certificates } : {};
  const { fingerprint, trustedBySystem } = await probe(address, { timeoutMs: PROBE_MS, ...authorities });
  return trustedBySystem ? fingerprint : undefined;
}

/** A gRPC message, not compressed (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). */
function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

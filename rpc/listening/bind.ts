// Opens the listening sockets for a host and a port; errors say what to do.
import { lookup } from "node:dns/promises";
import { createServer, isIP, type Server, type Socket } from "node:net";

/** The program cannot listen on a host and port. The message says what to do. */
export class ListenError extends Error {
  override name = "ListenError";
  /** The error code of the system, such as "EADDRINUSE"; "UNKNOWN" if there is none. */
  readonly code: string;

  /** @internal */
  constructor(code: string, message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export interface Bound {
  /** The port that the sockets listen on. */
  readonly port: number;
  readonly servers: readonly Server[];
}

/** Codes of addresses that a name resolves to but that this machine lacks, such as ::1 without IPv6. */
const NO_SUCH_ADDRESS = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT"]);

/**
 * Listens on every address that the host resolves to, on the same port.
 * @param host an address (IPv6 without brackets) or a name
 * @param port the port; 0 for any free one
 * @throws ListenError
 */
export async function bind(
  host: string,
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<Bound> {
  const addresses = await resolve(host);
  const servers: Server[] = [];
  let real = port;
  let missing: ListenError | undefined;
  for (const address of addresses) {
    try {
      const server = await open(address, real, onConnection);
      servers.push(server);
      real = portOf(server);
    } catch (cause) {
      const error = explain(cause, host, real);
      if (NO_SUCH_ADDRESS.has(error.code)) {
        missing = error;
        continue;
      }
      for (const server of servers) server.close();
      throw error;
    }
  }
  if (servers.length === 0) throw missing ?? explain(undefined, host, port);
  return { port: real, servers };
}

/**
 * localhost is always this machine (RFC 6761, section 6.3). The file of hosts may say something else, and a server without
 * TLS would then listen on a network.
 */
const LOCALHOST = ["127.0.0.1", "::1"];

async function resolve(host: string): Promise<string[]> {
  if (isIP(host)) return [host];
  if (host.toLowerCase() === "localhost") return LOCALHOST;
  try {
    const found = await lookup(host, { all: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch (cause) {
    throw explain(cause, host, 0);
  }
}

async function open(host: string, port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ noDelay: true }, onConnection);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host, port, ipv6Only: host === "::" ? false : isIP(host) === 6 }, resolve);
  await promise;
  server.off("error", reject);
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server without a port.");
  return address.port;
}

function explain(cause: unknown, host: string, port: number): ListenError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "UNKNOWN";
  return new ListenError(code, sentence(code, host, port, cause), cause);
}

function sentence(code: string, host: string, port: number, cause: unknown): string {
  switch (code) {
    case "EADDRINUSE":
      return `Port ${port} of ${host} is taken by another program. Stop that program, or choose another port; 0 takes any free port.`;
    case "EACCES":
      return `Port ${port} of ${host} needs rights that this program lacks. Choose a port above 1023.`;
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
      return `${host} is not an address of this machine. Use one of its addresses, 127.0.0.1 for this machine only, or 0.0.0.0 for all.`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `The host name ${host} is not known. Check it, or use an address.`;
    case "ERR_SOCKET_BAD_PORT":
      return `${port} is not a port. It must be between 0 and 65535.`;
    default:
      return `Cannot listen on ${host}, port ${port}: ${cause instanceof Error ? cause.message : code}.`;
  }
}

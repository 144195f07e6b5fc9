// Finds the address for all interfaces of this machine, with IPv6 or without.
import { createServer } from "node:net";

/** "::" accepts IPv4, too, but needs a machine with IPv6. */
export async function allInterfaces(): Promise<"::" | "0.0.0.0"> {
  return (await canListen("::")) ? "::" : "0.0.0.0";
}

/** Whether a server can listen on that host, on any free port. */
export async function canListen(host: string): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once("error", () => resolve(false));
  server.listen({ host, port: 0 }, () => server.close(() => resolve(true)));
  return promise;
}

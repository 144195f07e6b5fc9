// Finds the address for all interfaces of this machine, with IPv6 or without.
import { createServer } from "node:net";

/** Returns "::", which accepts IPv4 too, if the machine has IPv6, and otherwise "0.0.0.0". */
export async function allInterfaces(): Promise<"::" | "0.0.0.0"> {
  return (await canListen("::")) ? "::" : "0.0.0.0";
}

/** Whether a server can listen on this host, on any free port. */
export async function canListen(host: string): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once("error", () => resolve(false));
  server.listen({ host, port: 0 }, () => server.close(() => resolve(true)));
  return promise;
}

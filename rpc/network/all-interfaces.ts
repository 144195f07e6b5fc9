// The address that stands for all interfaces of this machine, with IPv6 and without.
import { createServer } from "node:net";

/** "::" takes IPv4 as well, but can only be listened on where the machine has IPv6. */
export async function allInterfaces(): Promise<"::" | "0.0.0.0"> {
  return (await canListen("::")) ? "::" : "0.0.0.0";
}

/** Tries it, on a free port. */
export async function canListen(host: string): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once("error", () => resolve(false));
  server.listen({ host, port: 0 }, () => server.close(() => resolve(true)));
  return promise;
}

// Server addresses: reads what a person types, and gives them the form HOST:PORT in which they are shown and stored.
import { formatAddress, parseAddress } from "../../../rpc/network/address.ts";
import { usage } from "../process/exit.ts";

/** The original's port, and the server's default. */
const defaultPort = 12_000;

/** The server of a command line without --server, before any server is known. */
export const defaultAddress = `127.0.0.1:${defaultPort}`;

/** Reads HOST:PORT or HOST. An IPv6 address is in brackets if a port follows. @throws UsageError */
export function readAddress(text: string): string {
  try {
    const { host, port } = parseAddress(text, { defaultPort });
    // The zone of an IPv6 address is the name of an interface, which is case-sensitive.
    const [address = "", ...zone] = host.split("%");
    return formatAddress({ host: [address.toLowerCase(), ...zone].join("%"), port });
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

// Server addresses: reads what a person types, and gives them the form HOST:PORT in which they are shown and stored.
import { usage } from "../process/exit.ts";

/** The original's port, and the server's default. */
const defaultPort = 12_000;

/** The server of a command line without --server, before any server is known. */
export const defaultAddress = `127.0.0.1:${defaultPort}`;

/** Reads HOST:PORT or HOST. An IPv6 address is in brackets if a port follows. @throws UsageError */
export function readAddress(text: string): string {
  const bare = /^[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*$/i.test(text);
  const [, host, port = String(defaultPort)] =
    /^(\[[0-9a-f:.]+\]|[^\s:[\]/#]+)(?::(\d{1,5}))?$/i.exec(bare ? `[${text}]` : text) ?? [];
  const number = Number(port);
  if (host === undefined || number < 1 || number > 65_535) {
    throw usage(
      `"${text}" is not an address. Write HOST:PORT, such as ${defaultAddress} or [::1]:${defaultPort}.`,
    );
  }
  return `${host.toLowerCase()}:${number}`;
}

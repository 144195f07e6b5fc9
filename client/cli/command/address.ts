// Server addresses as people type them, and as they are shown and remembered: HOST:PORT.
import { usage } from "../process/exit.ts";

/** The original's port, and the server's default. */
const defaultPort = 12_000;

/** Where a server is when nobody said otherwise. */
export const defaultAddress = `127.0.0.1:${defaultPort}`;

/** HOST:PORT or HOST; an IPv6 address in brackets where a port follows. @throws UsageError */
export function readAddress(text: string): string {
  const bare = /^[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*$/i.test(text);
  const [, host, port = String(defaultPort)] =
    /^(\[[0-9a-f:.]+\]|[^\s:[\]/#]+)(?::(\d{1,5}))?$/i.exec(bare ? `[${text}]` : text) ?? [];
  const number = Number(port);
  if (host === undefined || number < 1 || number > 65_535) {
    throw usage(
      `"${text}" is no address: write HOST:PORT, such as ${defaultAddress} or [::1]:${defaultPort}.`,
    );
  }
  return `${host.toLowerCase()}:${number}`;
}

// The addresses that a listener uses for a name.
import { lookup } from "node:dns/promises";
import { expect, test, vi } from "vitest";
import { bind } from "../../rpc/listening/bind.ts";

vi.mock("node:dns/promises", () => ({ lookup: vi.fn() }));

test.each(["localhost", "LocalHost"])("%s is this machine, whatever the file of hosts says", async (host) => {
  // Every interface, which a machine always has.
  vi.mocked(lookup).mockResolvedValue([{ address: "0.0.0.0", family: 4 }] as never);
  const { servers } = await bind(host, 0, (socket) => socket.destroy());
  const addresses = servers.map((server) => (server.address() as { address: string }).address);
  for (const server of servers) server.close();
  expect(addresses).toContain("127.0.0.1");
  expect(addresses.filter((address) => address !== "127.0.0.1" && address !== "::1")).toEqual([]);
});

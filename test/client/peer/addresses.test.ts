// The addresses of direct paths: which of another device's addresses are dialled, and which of its own a device uses.
import type { NetworkInterfaceInfo } from "node:os";
import { expect, test } from "vitest";
import { isLoopback } from "../../../client/link/server/trust.ts";
import { addressesToDial, ownHosts } from "../../../client/peer/path/addresses.ts";

test.each([
  ["loopback", "127.0.0.1:22"],
  ["another loopback address", "127.8.8.8:22"],
  ["IPv6 loopback", "[::1]:22"],
  ["mapped loopback", "[::ffff:127.0.0.1]:22"],
  ["mapped loopback in groups", "[0:0:0:0:0:ffff:7f00:1]:22"],
  ["link-local", "169.254.169.254:80"],
  ["IPv6 link-local", "[fe80::1]:80"],
])("a %s address is dialled only if the server is on this machine", (_kind, address) => {
  expect(addressesToDial([address], false)).toEqual([]);
  expect(addressesToDial([address], true)).toHaveLength(1);
});

test.each([
  ["a host name", "intranet.example:80"],
  ["localhost", "localhost:22"],
  ["an unspecified address", "0.0.0.0:22"],
  ["an unspecified IPv6 address", "[::]:22"],
  ["a multicast address", "224.0.0.1:22"],
  ["an IPv6 multicast address", "[ff02::1]:22"],
  ["the broadcast address", "255.255.255.255:22"],
  ["a zone", "[fe80::1%eth0]:22"],
  ["no port", "10.0.0.1"],
  ["port 0", "10.0.0.1:0"],
  ["no address", "?"],
])("%s is never dialled", (_kind, address) => {
  expect(addressesToDial([address], true)).toEqual([]);
});

test("at most four addresses of each family are dialled, each at one port", () => {
  const all = [
    ...Array.from({ length: 9 }, (_, index) => `10.0.0.${index + 1}:7`),
    ...Array.from({ length: 9 }, (_, index) => `[2001:db8::${index + 1}]:7`),
  ];
  expect(addressesToDial(all, false)).toEqual([...all.slice(0, 4), ...all.slice(9, 13)]);
  expect(addressesToDial(["10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3"], false)).toHaveLength(1);
  expect(addressesToDial(["10.0.0.1:1", "[::ffff:10.0.0.1]:2"], false)).toEqual(["10.0.0.1:1"]);
});

test.each([
  ["127.0.0.1:12000", true],
  ["[::1]:12000", true],
  ["localhost:12000", true],
  ["chat.example.org:12000", false],
  ["10.0.0.1:12000", false],
  ["169.254.0.7:12000", false],
  ["[fe80::7%eth0]:12000", false],
])("a server at %s is on this machine: %s", (address, isLocal) => {
  expect(isLoopback(address)).toBe(isLocal);
});

test("a device uses the addresses of its interfaces, and loopback only with a server on this machine", () => {
  const one = (address: string, family: "IPv4" | "IPv6", internal = false) =>
    ({ address, family, internal }) as NetworkInterfaceInfo;
  const interfaces = {
    lo: [one("127.0.0.1", "IPv4", true), one("::1", "IPv6", true)],
    eth0: [one("192.0.2.7", "IPv4"), one("2001:db8::7", "IPv6"), one("fe80::7", "IPv6")],
  };
  expect(ownHosts(false, interfaces)).toEqual(["192.0.2.7", "2001:db8::7"]);
  expect(ownHosts(true, interfaces)).toEqual(["192.0.2.7", "2001:db8::7", "127.0.0.1", "::1"]);
});

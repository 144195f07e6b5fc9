// Where a device may be dialled: in every form in which a caller's address is seen.
import { expect, test } from "vitest";
import { peerHost } from "../../../rpc/network/address.ts";
import { directAddresses } from "../../../server/private/direct-addresses.ts";

test.each([
  ["10.1.2.3:40000", ["10.1.2.3:7"]],
  ["::ffff:10.1.2.3:40000", ["10.1.2.3:7"]],
  ["[::ffff:10.1.2.3]:40000", ["10.1.2.3:7"]],
  ["[2001:db8::1]:40000", ["[2001:db8::1]:7"]],
  ["[fe80::1%eth0]:40000", ["[fe80::1]:7"]],
  ["unknown", []],
])("a caller seen as %s is dialled at %s", (peer, expected) => {
  expect(directAddresses({ addresses: [], port: 7 }, peerHost(peer))).toEqual(expected);
});

// Tests the direct addresses of a device for every form in which gRPC reports the address of a caller.
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
])("a caller with the address %s can be dialled at %s", (peer, expected) => {
  expect(directAddresses({ addresses: [], port: 7 }, peerHost(peer))).toEqual(expected);
});

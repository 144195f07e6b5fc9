// Whether a machine can listen on an address.
import { expect, test } from "vitest";
import { allInterfaces, canListen } from "../../rpc/network/all-interfaces.ts";

test("canListen is false for an address of another machine, and true for one of this machine", async () => {
  // From the block that RFC 3849 reserves for documentation.
  expect(await canListen("2001:db8::1")).toBe(false);
  expect(await canListen("127.0.0.1")).toBe(true);
});

test("the machine can listen on the address of allInterfaces", async () => {
  const host = await allInterfaces();
  expect(["::", "0.0.0.0"]).toContain(host);
  expect(await canListen(host)).toBe(true);
});

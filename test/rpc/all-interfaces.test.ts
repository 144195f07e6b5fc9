// What a machine can listen on, by trying: an address that it has and one that it has not.
import { expect, test } from "vitest";
import { allInterfaces, canListen } from "../../rpc/network/all-interfaces.ts";

test("an address of another machine cannot be listened on, one of this can", async () => {
  // Of the block that RFC 3849 sets aside for documents.
  expect(await canListen("2001:db8::1")).toBe(false);
  expect(await canListen("127.0.0.1")).toBe(true);
});

test("all interfaces can be listened on", async () => {
  const host = await allInterfaces();
  expect(["::", "0.0.0.0"]).toContain(host);
  expect(await canListen(host)).toBe(true);
});

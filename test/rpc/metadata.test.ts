// Bearer tokens in metadata.
import { Metadata } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { bearer, readBearer } from "../../rpc/calls/metadata.ts";

function authorization(...values: string[]): Metadata {
  const metadata = new Metadata();
  for (const value of values) metadata.add("authorization", value);
  return metadata;
}

test("a token is read as it was sent", () => {
  expect(readBearer(bearer("abc_DEF-123"))).toBe("abc_DEF-123");
  expect(readBearer(authorization("bearer abc"))).toBe("abc");
});

test("other values are no token", () => {
  expect(readBearer(new Metadata())).toBeUndefined();
  expect(readBearer(authorization("Basic abc"))).toBeUndefined();
  expect(readBearer(authorization("Bearer "))).toBeUndefined();
});

test("several tokens are reported as many", () => {
  expect(readBearer(authorization("Bearer a", "Bearer b"))).toBe("many");
  expect(readBearer(authorization("Bearer a, Bearer b"))).toBe("many");
});

// Conversion of errors to statuses and back.
import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { fromServiceError, RpcError, toStatus } from "../../rpc/status/status.ts";

function received(sent: ReturnType<typeof toStatus>): Error {
  // As grpc-js makes it: https://grpc.github.io/grpc/node, callErrorFromStatus.
  return Object.assign(new Error(`${sent.code} X: ${sent.details}`), sent);
}

describe("an RpcError", () => {
  test("is the same after both conversions", () => {
    const sent = new RpcError({
      code: status.NOT_FOUND,
      reason: "USER_NOT_FOUND",
      message: "There is no user of that name.",
      field: "target.username",
      retryDelayMs: 1_250,
      metadata: { name: "yoda" },
    });
    const { code, reason, domain, message, field, retryDelayMs, metadata } = fromServiceError(
      received(toStatus(sent)),
    );
    expect({ code, reason, domain, message, field, retryDelayMs, metadata }).toEqual({
      code: status.NOT_FOUND,
      reason: "USER_NOT_FOUND",
      domain: "parley.chat.v1",
      message: "There is no user of that name.",
      field: "target.username",
      retryDelayMs: 1_250,
      metadata: { name: "yoda" },
    });
  });

  test("without optional fields has none after both conversions", () => {
    const read = fromServiceError(
      received(toStatus(new RpcError({ code: status.ABORTED, reason: "A", message: "a" }))),
    );
    expect(read.field).toBeUndefined();
    expect(read.retryDelayMs).toBeUndefined();
    expect(read.metadata).toEqual({});
  });

  test("names several fields, each with its reason, and as many as fit", () => {
    const moreFields = Array.from({ length: 999 }, (_, index) => ({
      field: `markers[${index + 1}]`,
      reason: index % 2 === 0 ? "B" : "C",
    }));
    const some = { code: status.ABORTED, reason: "A", message: "a", field: "markers[0]" };
    const few = new RpcError({ ...some, moreFields: moreFields.slice(0, 9) });
    const first = { field: "markers[0]", reason: "A" };
    expect(fromServiceError(received(toStatus(few))).fields).toEqual([first, ...moreFields.slice(0, 9)]);
    const many = toStatus(new RpcError({ ...some, moreFields, metadata: { refused_markers: "1000" } }));
    const read = fromServiceError(received(many));
    expect(read.fields.length).toBeGreaterThan(20);
    expect(read.fields).toEqual([first, ...moreFields].slice(0, read.fields.length));
    expect(read.metadata).toEqual({ refused_markers: "1000" });
  });

  test("is shortened to fit into headers", () => {
    const metadata = { long: "x".repeat(10_000) };
    const sent = toStatus(
      new RpcError({ code: status.ABORTED, reason: "A", message: "m".repeat(5_000), metadata }),
    );
    expect(sent.details).toHaveLength(1_000);
    const packed = sent.metadata.get("grpc-status-details-bin")[0];
    expect(packed).toBeInstanceOf(Buffer);
    expect((packed as Buffer).length).toBeLessThan(4_096);
    expect(fromServiceError(received(sent)).reason).toBe("A");
  });

  test("has no lone surrogates, on which encodeURI would throw", () => {
    const sent = toStatus(
      new RpcError({ code: status.ABORTED, reason: "A", message: `${"m".repeat(999)}😀` }),
    );
    expect(() => encodeURI(sent.details)).not.toThrow();
  });
});

describe("fromServiceError", () => {
  test.each([
    ["garbage", Buffer.from([0xff, 0xff, 0xff])],
    ["a cut message", Buffer.from([0x1a, 0x7f, 0x01])],
    ["nothing", Buffer.alloc(0)],
  ])("returns code and message if the details are %s", (_, details) => {
    const metadata = new Metadata();
    metadata.set("grpc-status-details-bin", details);
    const read = fromServiceError(received({ code: status.UNAVAILABLE, details: "gone", metadata }));
    expect(read).toMatchObject({ code: status.UNAVAILABLE, message: "gone", reason: "", domain: "" });
  });

  test("returns UNKNOWN for every other error", () => {
    expect(fromServiceError(new TypeError("odd"))).toMatchObject({
      code: status.UNKNOWN,
      message: "odd",
      reason: "",
    });
    expect(fromServiceError("text")).toMatchObject({ code: status.UNKNOWN, message: "text" });
  });
});

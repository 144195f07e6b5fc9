// The bound on the fields of a message: every kind of field counts.
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import {
  HealthListResponse,
  HealthCheckResponse_ServingStatus as Serving,
} from "../../gen/health/v1/health.ts";
import { Hello, SetMarkersRequest } from "../../gen/parley/chat/v1/chat_service.ts";
import { StrictReader, TooManyFieldsError } from "../../rpc/wire/strict-reader.ts";

const MOST = 100;

type Decode = (reader: StrictReader) => unknown;

/** Encodes `count` fields, written one by one. */
function encoded(count: number, write: (writer: BinaryWriter, index: number) => unknown): Buffer {
  const writer = new BinaryWriter();
  for (let index = 0; index < count; index++) write(writer, index);
  return Buffer.from(writer.finish());
}

const unknown = 200;

test.each<[string, Decode, (count: number) => Buffer, number]>([
  [
    "submessages without a field",
    (reader) => SetMarkersRequest.decode(reader),
    (count) => encoded(count, (writer) => writer.tag(1, WireType.LengthDelimited).uint32(0)),
    1,
  ],
  [
    "fields of submessages",
    (reader) => SetMarkersRequest.decode(reader),
    (count) => {
      const marker = { conversationId: "c1", deliveredSeq: 1n, readSeq: 1n };
      const one = SetMarkersRequest.encode({ markers: [{ ...marker } as never] }).finish();
      return Buffer.concat(Array.from({ length: count }, () => one));
    },
    4,
  ],
  [
    "elements of a packed field",
    (reader) => Hello.decode(reader),
    (count) => {
      const features = Buffer.alloc(count, 1);
      return encoded(1, (writer) => writer.tag(2, WireType.LengthDelimited).bytes(features));
    },
    1,
  ],
  [
    "entries of a map",
    (reader) => HealthListResponse.decode(reader),
    (count) => {
      const statuses = Object.fromEntries(
        Array.from({ length: count }, (_, index) => [`s${index}`, { status: Serving.SERVING }]),
      );
      return Buffer.from(HealthListResponse.encode({ statuses }).finish());
    },
    4,
  ],
  [
    "unknown numbers",
    (reader) => Hello.decode(reader),
    (count) => encoded(count, (writer) => writer.tag(unknown, WireType.Varint).uint64(1n)),
    1,
  ],
  [
    "unknown groups",
    (reader) => Hello.decode(reader),
    (count) =>
      encoded(count, (writer) => writer.tag(unknown, WireType.StartGroup).tag(unknown, WireType.EndGroup)),
    1,
  ],
])("%s count", (_, decode, message, fieldsOfOne) => {
  const fitting = message(Math.floor(MOST / fieldsOfOne));
  expect(() => decode(new StrictReader(fitting, MOST))).not.toThrow();
  const tooMany = message(2 * MOST + 1);
  expect(() => decode(new StrictReader(tooMany, MOST))).toThrow(TooManyFieldsError);
  // Without a bound of its own a reader takes far more.
  expect(() => decode(new StrictReader(tooMany))).not.toThrow();
});

test("every kind of number counts", () => {
  const reads: ((reader: StrictReader) => unknown)[] = [
    (reader) => reader.uint32(),
    (reader) => reader.int32(),
    (reader) => reader.sint32(),
    (reader) => reader.uint64(),
    (reader) => reader.int64(),
    (reader) => reader.sint64(),
    (reader) => reader.bool(),
    (reader) => reader.fixed32(),
    (reader) => reader.sfixed32(),
    (reader) => reader.fixed64(),
    (reader) => reader.sfixed64(),
    (reader) => reader.float(),
    (reader) => reader.double(),
  ];
  for (const read of reads) {
    const reader = new StrictReader(Buffer.alloc(2_000), MOST);
    for (let index = 0; index < 2 * MOST - 100; index++) read(reader);
    expect(() => {
      for (let index = 0; index < 101; index++) read(reader);
    }).toThrow(TooManyFieldsError);
  }
});

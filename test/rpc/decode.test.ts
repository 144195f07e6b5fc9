// Strict decoding, encoded messages, and raw fields.
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ChatServiceService,
  type Command,
  ConnectRequest,
  type SendMessageRequest,
} from "../../gen/parley/chat/v1/chat_service.ts";
import {
  lengthDelimited,
  passThrough,
  rawField,
  repeatedField,
  strictDefinition,
  Undecodable,
} from "../../rpc/calls/decode.ts";

const strict = strictDefinition(ChatServiceService);
const decode = (bytes: Uint8Array): unknown => strict.connect.requestDeserialize(Buffer.from(bytes));
const field = lengthDelimited;
const text = (value: string): Uint8Array => Buffer.from(value);
/** ConnectRequest.commands[0].send_message, of these fields. */
const send = (...fields: Uint8Array[]): Uint8Array => field(1, field(2, Buffer.concat(fields)));

const username = (name: Uint8Array): Uint8Array => field(2, field(1, name));

const command: fc.Arbitrary<Command> = fc
  .record({
    clientMessageId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    target: fc.option(
      fc.record({
        target: fc.record({ $case: fc.constant("username" as const), value: fc.string({ unit: "binary" }) }),
      }),
      { nil: undefined },
    ),
    content: fc.option(
      fc.record({
        kind: fc.record({ $case: fc.constant("text" as const), value: fc.string({ unit: "binary" }) }),
      }),
      { nil: undefined },
    ),
  })
  .map((value: SendMessageRequest) => ({ kind: { $case: "sendMessage", value } }));

describe("a strict deserializer", () => {
  test("decodes the same messages as the generated deserializer", () => {
    fc.assert(
      fc.property(fc.array(command), (commands) => {
        const bytes = ConnectRequest.encode({ commands }).finish();
        expect(decode(bytes)).toEqual(ConnectRequest.decode(bytes));
      }),
      { numRuns: 500 },
    );
  });

  test("keeps a leading byte order mark and every plane", () => {
    for (const name of ["\ufeffyoda", "名前😀", "é".repeat(40), ""]) {
      expect(decode(send(username(text(name))))).toMatchObject({
        commands: [{ kind: { value: { target: { target: { value: name } } } } }],
      });
    }
  });

  test("skips unknown fields, including groups", () => {
    const unknown = new BinaryWriter()
      .uint32((100 << 3) | 3)
      .uint32((1 << 3) | 0)
      .uint64(2n ** 64n - 1n)
      .uint32((100 << 3) | 4)
      .uint32((101 << 3) | 5)
      .fixed32(7)
      .uint32((102 << 3) | 1)
      .fixed64(7n)
      .finish();
    const bytes = Buffer.concat([unknown, send(unknown, username(text("yoda"))), unknown]);
    expect(decode(bytes)).toEqual(ConnectRequest.decode(bytes));
  });

  const broken: [string, Uint8Array][] = [
    ["broken UTF-8", send(username(Buffer.from([0x66, 0xff])))],
    [
      "broken UTF-8 in a long string",
      send(username(Buffer.concat([text("x".repeat(200)), Buffer.from([0xc3])]))),
    ],
    ["an overlong form", send(username(Buffer.from([0xc0, 0xaf])))],
    ["an encoded surrogate", send(username(Buffer.from([0xed, 0xa0, 0x80])))],
    ["a cut string", send(field(2, Buffer.from([0x0a, 10, 0x61])))],
    ["a huge length", Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])],
    ["field number 0", Buffer.from([0x02, 0x01, 0x61])],
    ["a zero tag", Buffer.concat([Buffer.from([0x00]), send()])],
    ["field number 0 in a nested message", send(Buffer.from([0x01, 1, 2, 3, 4, 5, 6, 7, 8]))],
    ["a stray end of a group", Buffer.from([0x0c, 0x08, 0x01])],
    ["a stray end of a group in a nested message", send(Buffer.from([0x0c, 0x08, 0x01]))],
    ["a group that never ends", Buffer.from([0x0b, 0x08, 0x01])],
    ["a group that ends as another", Buffer.from([0x2b, 0x34])],
    ["a varint of 11 bytes", send(Buffer.from([0x08, ...Array<number>(10).fill(0x80), 0x01]))],
    ["an unknown varint of 11 bytes", Buffer.from([0x78, ...Array<number>(10).fill(0x80), 0x01])],
    ["a cut varint", send(Buffer.from([0x08, 0x80]))],
    // The inner length exceeds the outer message, but not the buffer.
    [
      "a nested message that overruns",
      Buffer.concat([Buffer.from([0x0a, 2, 0x12, 4]), Buffer.from([0x08, 1, 0x08, 1])]),
    ],
    [
      "a string that overruns",
      Buffer.concat([Buffer.from([0x0a, 6, 0x12, 4, 0x12, 2, 0x0a, 2]), text("yo")]),
    ],
    ["an unknown wire type", Buffer.from([0x0f])],
  ];

  test.each(broken)("refuses %s, and does not throw", (_, bytes) => {
    const result = decode(bytes);
    expect(result).toBeInstanceOf(Undecodable);
    const error = (result as Undecodable).toRpcError();
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, reason: "UNDECODABLE" });
  });

  test("refuses too deep nesting", () => {
    // The nested groups are unknown fields; a decoder must limit the depth of those that it skips.
    expect(decode(Buffer.alloc(5_000, 0x0b))).toBeInstanceOf(Undecodable);
  });

  test("never throws, and decodes what it accepts like the generated deserializer", () => {
    const mutated = fc
      .tuple(
        fc.array(command, { maxLength: 3 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
      )
      .map(([commands, changes, cut]) => {
        const bytes = Buffer.from(ConnectRequest.encode({ commands }).finish());
        for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
        return cut % 3 === 0 && bytes.length > 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 60 })), (bytes) => {
        const result = decode(bytes);
        if (!(result instanceof Undecodable)) expect(result).toEqual(ConnectRequest.decode(bytes));
      }),
      { numRuns: 5_000 },
    );
  });

  test("is also for responses, and strictDefinition is idempotent", () => {
    expect(strict.connect.responseDeserialize(Buffer.from([0x0f]))).toBeInstanceOf(Undecodable);
    const twice = strictDefinition(strict);
    expect(twice.connect).toBe(strict.connect);
    expect({ ...strictDefinition({ connect: { ...strict.connect } }).connect }.requestDeserialize).toBe(
      strict.connect.requestDeserialize,
    );
  });
});

test("encoded bytes are passed through without a copy, only in the named methods", () => {
  const ready = new Uint8Array([1, 2, 3]);
  const through = passThrough(ChatServiceService, ["connect"]);
  const sent = through.connect.responseSerialize(ready);
  expect(sent).toEqual(Buffer.from([1, 2, 3]));
  expect(sent.buffer).toBe(ready.buffer);
  expect(through.connect.requestSerialize({ commands: [] })).toEqual(Buffer.alloc(0));
  expect(through.follow).toBe(ChatServiceService.follow);
});

describe("raw fields", () => {
  test("are the bytes that were sent, including unknown fields", () => {
    const content = Buffer.concat([field(1, text("hi")), field(99, text("from the future"))]);
    const message = Buffer.concat([
      field(2, text("before")),
      field(15, content),
      Buffer.from([0x08, 0x96, 0x01]),
    ]);
    expect(rawField(message, 15)).toEqual(content);
    expect(rawField(message, 14)).toBeUndefined();
    // A varint with that field number does not count.
    expect(rawField(message, 1)).toBeUndefined();
  });

  test("are merged like in Protobuf", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array(), { minLength: 1 }),
        fc.integer({ min: 1, max: 2 ** 29 - 1 }),
        (parts, number) => {
          const message = Buffer.concat(parts.map((part) => field(number, part)));
          expect(repeatedField(message, number).map((part) => Buffer.from(part))).toEqual(
            parts.map((part) => Buffer.from(part)),
          );
          expect(Buffer.from(rawField(message, number) ?? [])).toEqual(Buffer.concat(parts));
        },
      ),
    );
  });

  test("of a malformed message are an error", () => {
    expect(() => repeatedField(Buffer.from([0x0a, 0x05, 0x01]), 1)).toThrow();
  });
});

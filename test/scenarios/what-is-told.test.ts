// What the answers of all calls tell: a user who is blocked does not learn whether the blocker is online, and a stranger does
// not learn which users exist. The requests are made from the schema, so that a new call is among them.
import {
  create,
  type DescField,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type Message,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { Client, credentials, type Metadata } from "@grpc/grpc-js";
import { expect, test, vi } from "vitest";
import { readRegistry } from "../../client/cli/process/schema.ts";
import { fromServiceError } from "../../rpc/status/status.ts";
import { Passwords } from "../../server/auth/passwords.ts";
import { limits } from "../../server/limits.ts";
import type { Store } from "../../server/store/store.ts";
import type { TestClient } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { TestServer } from "../support/server.ts";
import { logInDevice } from "./introduction-calls.ts";

const registry = readRegistry("gen/parley.binpb");

/** Streams that have their own comparison below, and one whose request names no user. */
const streams: Record<string, string> = {
  "ChatService.Connect": "compared by the events of an open stream, and by Welcome",
  "ChatService.Follow": "has the same events as Connect",
  "IntroductionService.Relay": "names only an introduction that both users have accepted",
};

interface Method {
  readonly name: string;
  readonly method: DescMethod;
}

function methods(): Method[] {
  return [...registry].flatMap((type) =>
    type.kind === "service" && type.typeName.startsWith("parley.chat.v1.")
      ? type.methods.map((method) => ({ name: `${type.name}.${method.name}`, method }))
      : [],
  );
}

/** Whom and what a request names. */
interface Subject {
  readonly username: string;
  readonly userId: string;
  readonly conversationId: string;
}

/** The longest list of choices in a oneof of a request. */
const VARIANTS = 3;

/** A request that names the subject wherever a field can name it. @param variant which member of each oneof is set */
function requestFor(message: DescMessage, subject: Subject, variant: number): Message {
  const request = create(message) as Message & Record<string, unknown>;
  const set = (field: DescField, value: unknown): void => {
    if (field.oneof !== undefined) request[field.oneof.localName] = { case: field.localName, value };
    else request[field.localName] = field.fieldKind === "list" ? [value] : value;
  };
  for (const member of message.members) {
    const field = member.kind === "oneof" ? member.fields[variant % member.fields.length] : member;
    if (field === undefined) continue;
    const value = valueFor(field, subject, variant);
    if (value !== undefined) set(field, value);
  }
  return request;
}

function valueFor(field: DescField, subject: Subject, variant: number): unknown {
  switch (field.name) {
    case "username":
      return subject.username;
    case "prefix":
      return subject.username.slice(0, 3);
    case "user_id":
    case "user_ids":
      return subject.userId;
    case "conversation_id":
      return subject.conversationId;
    case "text":
      return "a text";
    case "password":
    case "old_password":
    case "new_password":
      return "not the password 7";
    case "delivered_seq":
    case "client_message_id":
      return 1n;
    case "typing":
      return true;
    case "online_within":
      return create(DurationSchema, { seconds: 3600n });
    default:
      return messageFor(field.message, subject, variant);
  }
}

function messageFor(
  message: DescMessage | undefined,
  subject: Subject,
  variant: number,
): Message | undefined {
  return message?.typeName.startsWith("parley.") === true ? requestFor(message, subject, variant) : undefined;
}

/** Fields with random values. */
const HIDDEN =
  /"(?:token|deviceSecret|serverId|certificate|fingerprint|identityKey|signature|reset|invite)":\s*"[^"]*"/g;

/** Calls the method, and returns the answer or the reason, with what the store was asked for. */
async function outcome(
  server: TestServer,
  client: TestClient,
  { method }: Method,
  request: Message,
  metadata: Metadata,
  work: string[],
): Promise<string> {
  const raw = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure(), {
    channelOverride: client.auth.getChannel(),
  });
  const path = `/${method.parent.typeName}/${method.name}`;
  const bytes = Buffer.from(toBinary(method.input, request as never));
  const asIs = (value: Buffer): Buffer => value;
  work.length = 0;
  const answer = await new Promise<string>((resolve) => {
    const told = (value: Buffer): string =>
      toJsonString(method.output, fromBinary(method.output, value), { registry }).replaceAll(HIDDEN, "");
    if (method.methodKind === "server_streaming") {
      const call = raw.makeServerStreamRequest(path, asIs, asIs, bytes, metadata);
      call.on("data", (value: Buffer) => {
        resolve(told(value));
        call.cancel();
      });
      call.on("error", (error) => resolve(refusal(error)));
      return;
    }
    raw.makeUnaryRequest(path, asIs, asIs, bytes, metadata, (error, value) => {
      resolve(error === null && value !== undefined ? told(value) : refusal(error));
    });
  });
  return `${answer} after ${[...work].sort().join(" ")}`;
}

function refusal(error: unknown): string {
  const { reason, field, message, retryDelayMs } = fromServiceError(error);
  return JSON.stringify({ reason, field, message, retryDelayMs });
}

/** Notes which operations of the store are called. */
function noting(work: string[]): (store: Store) => Store {
  const parts = ["accounts", "log", "presence", "blocks", "logIns", "identities"];
  const noted = (part: object, label: string): object =>
    new Proxy(part, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...given: unknown[]): unknown => {
          work.push(`${label}.${String(name)}`);
          return value.apply(target, given) as unknown;
        };
      },
    });
  return (store) =>
    new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value === "function") return value.bind(target) as unknown;
        return parts.includes(String(name)) ? noted(value as object, String(name)) : value;
      },
    });
}

interface World {
  /** By method and variant. */
  readonly answers: Record<string, string>;
  /** The events of a stream of the asking user, from the block to the end. */
  readonly events: string[];
  readonly welcome: string;
}

/** What the answers say to vader about hans, who was online and has blocked vader or not, and who is online now or not. */
async function told({ blocked, online }: { blocked: boolean; online: boolean }): Promise<World> {
  const clock = new ManualClock(Date.UTC(2026, 2, 1));
  const work: string[] = [];
  await using server = await TestServer.start({
    users: ["hans", "vader", "leia"],
    clock,
    wrapStore: noting(work),
  });
  const vader = await logInDevice(server, "vader");
  using stream = await vader.connect().caughtUp();
  const hans = await logInDevice(server, "hans");
  using hansStream = await hans.connect().caughtUp();
  const isHans = (users: readonly { username: string }[]) =>
    users.some(({ username }) => username === "hans");
  const advance = (): void => clock.advance(limits.presenceJoinMs);
  await eventually(() => {
    advance();
    expect(stream.all("presenceChanged").some(({ cameOnline }) => isHans(cameOnline))).toBe(true);
  });
  const { conversationId } = await hans.send("vader", "one");
  await vader.send("hans", "two");
  await hans.unary(hans.chat, hans.chat.setMarkers, {
    markers: [
      { conversationId, deliveredSeq: 2n, readSeq: 1n, deliveredTime: undefined, readTime: undefined },
    ],
  });
  const subject = { username: "hans", userId: hans.grant?.user?.userId ?? "", conversationId };
  if (blocked) await hans.block("vader");
  const before = stream.events.length;
  if (!online) {
    hansStream.halfClose();
    await hansStream.ended;
    const leia = await server.logIn("leia");
    await eventually(async () => expect(await leia.whoelse()).toEqual(["vader"]));
    await leia.logOut();
  } else {
    const leia = await server.logIn("leia");
    expect(await leia.whoelse()).toEqual(["hans", "vader"]);
    await leia.logOut();
  }
  // From here on, times and ids are the same in each world.
  clock.setWallClock(Date.UTC(2026, 2, 2));
  for (let turn = 0; turn < 5; turn++) advance();
  const answers: Record<string, string> = {};
  for (const each of methods().filter(({ name }) => !(name in streams))) {
    for (let variant = 0; variant < VARIANTS; variant++) {
      // A session of its own, which the call may end.
      const client = await logInDevice(server, "vader");
      const request = requestFor(each.method.input, subject, variant);
      answers[`${each.name} ${variant}`] = await outcome(
        server,
        client,
        each,
        request,
        client.metadata,
        work,
      );
      client[Symbol.dispose]();
    }
  }
  using opening = (await server.logIn("vader")).connect();
  const { online: listed } = await opening.next("welcome");
  await (await server.logIn("leia")).broadcast("the end");
  await stream.next("entryAppended", ({ entry }) => entry?.content?.kind?.value === "the end");
  const events = stream.events
    .slice(before)
    .map(({ kind }) =>
      JSON.stringify(kind, (_key, value: unknown) => (typeof value === "bigint" ? `${value}` : value)),
    );
  return { answers, events, welcome: listed.map(({ username }) => username).join(" ") };
}

test("a blocked user is told the same whether the blocker is online or offline, by every call", {
  timeout: 60_000,
}, async () => {
  const [online, offline] = [
    await told({ blocked: true, online: true }),
    await told({ blocked: true, online: false }),
  ];
  expect(online).toEqual(offline);
});

test("the comparison finds what a user who is not blocked is told", { timeout: 60_000 }, async () => {
  const [online, offline] = [
    await told({ blocked: false, online: true }),
    await told({ blocked: false, online: false }),
  ];
  const differing = Object.keys(online.answers).filter((key) => online.answers[key] !== offline.answers[key]);
  expect(new Set(differing.map((key) => key.split(" ")[0]))).toEqual(
    new Set(["DirectoryService.GetUser", "DirectoryService.ListUsers", "IntroductionService.Introduce"]),
  );
  expect(online.welcome).not.toBe(offline.welcome);
  expect(online.events).not.toEqual(offline.events);
});

test("a stranger is told the same of a user who exists and of one who does not, by every call and as much work", async () => {
  const work: string[] = [];
  const hashes = [
    vi.spyOn(Passwords.prototype, "verify"),
    vi.spyOn(Passwords.prototype, "verifyAgainstNothing"),
    vi.spyOn(Passwords.prototype, "hash"),
  ];
  const clock = new ManualClock(Date.UTC(2026, 2, 1));
  await using server = await TestServer.start({ users: ["hans", "vader"], clock, wrapStore: noting(work) });
  const hans = await server.logIn("hans");
  const { conversationId } = await hans.send("vader", "one");
  const existing = { username: "hans", userId: hans.grant?.user?.userId ?? "", conversationId };
  const missing = { username: "hank", userId: "u999", conversationId: "c999" };
  const stranger = server.anonymous();
  for (const each of methods().filter(({ name }) => !(name in streams))) {
    // More than the number of wrong passwords that locks a name.
    for (let round = 0; round < limits.failuresToLock + 2; round++) {
      const outcomes: unknown[] = [];
      for (const [index, subject] of [existing, missing].entries()) {
        for (const spy of hashes) spy.mockClear();
        const request = requestFor(each.method.input, subject, round);
        const answer = await outcome(server, stranger, each, request, stranger.metadata, work);
        const count = hashes.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
        outcomes[index] = { answer: answer.replaceAll(subject.username, "NAME"), count };
      }
      expect(outcomes[0], `${each.name}, ${round}`).toEqual(outcomes[1]);
    }
  }
});

// --json is canonical Protobuf-JSON: the lines of every command, and special values, equal the output of `buf convert`.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { protoJson } from "../../../client/cli/process/proto-json.ts";
import { Command } from "../../../gen/parley/chat/v1/chat_service.ts";
import { ConversationKind } from "../../../gen/parley/chat/v1/conversation.ts";
import { ListUsersRequest } from "../../../gen/parley/chat/v1/directory_service.ts";
import { Entry } from "../../../gen/parley/chat/v1/entry.ts";
import { Event } from "../../../gen/parley/chat/v1/event.ts";
import { ListMessagesRequest } from "../../../gen/parley/chat/v1/history_service.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { TestServer } from "../../support/server.ts";
import { Home } from "./parley.ts";

const schema = fileURLToPath(new URL("../../../gen/parley.binpb", import.meta.url));

/** Converts between JSON and binary with buf. */
function convert(
  type: string,
  from: "json" | "binpb",
  to: "json" | "binpb",
  input: string | Uint8Array,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const formats = [`--from=-#format=${from}`, `--to=-#format=${to}`];
    const child = execFile(
      "buf",
      ["convert", schema, "--type", `parley.chat.v1.${type}`, ...formats],
      { encoding: "buffer" },
      (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(`${error.message}: ${stderr.toString()}`)),
    );
    child.stdin?.end(input);
  });
}

/** The same message as buf prints it, as a value. */
async function byBuf(type: string, bytes: Uint8Array): Promise<unknown> {
  return JSON.parse((await convert(type, "binpb", "json", bytes)).toString());
}

function entryOf(sendTime: Date): Uint8Array {
  return Entry.encode({
    conversationId: "c1",
    seq: 1n,
    kind: ConversationKind.DIRECT,
    sender: undefined,
    recipient: undefined,
    sendTime,
    content: undefined,
  }).finish();
}

test("64-bit numbers, durations, times, enums and unknown values are printed as by buf", async () => {
  const refused = Event.encode({
    kind: {
      $case: "refused",
      value: {
        clientMessageId: 2n ** 63n - 1n,
        reason: Reason.RATE_LIMITED,
        field: "",
        message: '\u{0}\u{2028}"\\<é🎉',
        retryDelay: { seconds: 3n, nanos: 70_000_000 },
        conversationId: "",
        metadata: {},
      },
    },
  }).finish();
  const cases: [string, Uint8Array][] = [
    ["Event", refused],
    [
      "ListUsersRequest",
      ListUsersRequest.encode({
        onlineWithin: { seconds: 0n, nanos: 1 },
        pageSize: 4_294_967_295,
        pageToken: "",
        background: false,
      }).finish(),
    ],
    [
      "ListMessagesRequest",
      ListMessagesRequest.encode({
        target: undefined,
        fromSeq: 2n ** 64n - 1n,
        toSeq: 0n,
        fromTime: undefined,
        toTime: undefined,
        order: 2,
        pageSize: 0,
        pageToken: "",
        background: false,
      }).finish(),
    ],
    // An unknown enum value.
    ["ListMessagesRequest", Uint8Array.of(0x20, 99)],
    ["Command", Command.encode({ kind: { $case: "reportActivity", value: {} } }).finish()],
    ["Command", new Uint8Array()],
    ["CaughtUp", Uint8Array.of(0x0a, 0x04, 0x08, 0x01, 0x10, 0x01)],
  ];
  // The nanoseconds of a Timestamp are positive, also before 1970.
  for (const ms of [-500, -1_500, -2_000, 1_500]) cases.push(["Entry", entryOf(new Date(ms))]);
  expect(JSON.parse(protoJson("parley.chat.v1.Entry", entryOf(new Date(-500))))).toMatchObject({
    sendTime: "1969-12-31T23:59:59.500Z",
  });
  for (const [type, bytes] of cases) {
    const line = protoJson(`parley.chat.v1.${type}`, bytes);
    expect(line).not.toContain("\n");
    expect(JSON.parse(line)).toEqual(await byBuf(type, bytes));
  }
});

test("the lines of each command are the documented message, as buf prints it", {
  timeout: 60_000,
}, async () => {
  await using server = await TestServer.start({ users: ["yoda", "luke"] });
  await using home = await Home.make();
  await home.logIn("luke", server, "--plaintext");
  await home.logIn("yoda", server);
  const luke = await server.logIn("luke");
  using here = await luke.connect().caughtUp();
  const asking = home.run("ask", "luke", "ready?", "--json");
  await here.next("entryAppended");
  await luke.send("yoda", "ready");
  const passwords = "password of luke\nnew password of luke\n";
  const lines: [string, string][] = [];
  const take = async (type: string, run: ReturnType<Home["run"]>): Promise<void> => {
    const { code, lines: printed } = await run;
    expect({ type, code, printed: printed.length > 0 }).toEqual({ type, code: 0, printed: true });
    lines.push(...printed.map((line): [string, string] => [type, line]));
  };
  await take("Entry", asking);
  await take("Ack", home.run("send", "luke", "one", "--json"));
  await take("Ack", home.run("message", "luke", "one more", "--json"));
  await take("Ack", home.run("broadcast", "two", "--json"));
  await take("HistoryItem", home.run("history", "luke", "--json"));
  await take("HistoryItem", home.run("history", "--broadcast", "--json"));
  await take("UserPresence", home.run("who", "--json", "--since", "1h"));
  await take("UserPresence", home.run("whoelse", "--json"));
  await take("UserPresence", home.run("whoelsesince", "200", "--json"));
  await take("Block", home.run("block", "luke", "--json"));
  await take("Block", home.run("blocks", "--json"));
  await take("User", home.run("unblock", "luke", "--json"));
  await take("LogInRecord", home.run("logins", "--json"));
  await take("ListSessionsResponse", home.run("whoami", "--json"));
  await take("Session", home.run("sessions", "--json"));
  await take("Grant", home.run("token", "--json"));
  await take("Grant", home.pipe("password of yoda", "login", "yoda", "--password-stdin", "--json"));
  await take(
    "ChangePasswordResponse",
    home.pipe(passwords, "passwd", "--password-stdin", "--as", "luke", "--json"),
  );
  const [session] = (await home.run("sessions", "--as", "luke", "--json")).lines;
  const { sessionId } = JSON.parse(session ?? "") as { sessionId: string };
  await take("RevokeSessionResponse", home.run("revoke", sessionId, "--as", "luke", "--json"));
  await take("LogOutResponse", home.run("logout", "--as", "yoda", "--json"));
  for (const [type, line] of lines) {
    expect(JSON.parse(line)).toEqual(await byBuf(type, await convert(type, "json", "binpb", line)));
  }
});

// parley rpc: finds methods by name, calls all kinds of methods with JSON, and describes errors.
import { expect, test } from "vitest";
import { schema } from "../../../client/cli/process/schema.ts";
import { TestServer } from "../../support/server.ts";
import { finished, Home, Lines, parsed } from "./parley.ts";

interface Scenario extends AsyncDisposable {
  readonly server: TestServer;
  readonly home: Home;
}

/** A server, and a state folder in which yoda is logged in. */
async function scenario(): Promise<Scenario> {
  const server = await TestServer.start({ users: ["yoda", "luke"] });
  const home = await Home.make({ npm_command: "exec" });
  await home.logIn("yoda", server, "--plaintext");
  return {
    server,
    home,
    [Symbol.asyncDispose]: async () => {
      await home[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Runs calls that are refused as command lines, and returns their messages. */
async function mistakes(home: Home, ...calls: readonly (readonly string[])[]): Promise<string[]> {
  const runs = await Promise.all(calls.map((words) => home.run("rpc", ...words)));
  expect(runs.map(({ code, stdout }) => ({ code, stdout }))).toEqual(
    calls.map(() => ({ code: 2, stdout: "" })),
  );
  return runs.map(({ stderr }) => stderr.trim());
}

test("without a name it lists every method of the schema; --describe prints the request of a method", async () => {
  await using home = await Home.make();
  const [list, one, described] = await Promise.all([
    home.run("rpc"),
    home.run("rpc", "HistoryService"),
    home.run("rpc", "HistoryService/ListMessages", "--describe"),
  ]);
  const services = [...schema()].filter((type) => type.kind === "service");
  expect(services.length).toBeGreaterThan(4);
  for (const { typeName, methods } of services) {
    expect(list.lines).toContain(typeName);
    for (const { name } of methods) expect(list.stdout).toMatch(new RegExp(`^  ${name} +${name} \\w`, "m"));
  }
  expect(one.lines[0]).toBe("parley.chat.v1.HistoryService");
  expect(one.lines).toHaveLength(4);
  expect(described.lines[0]).toBe(
    "parley.chat.v1.HistoryService/ListMessages (ListMessagesRequest) returns (ListMessagesResponse)",
  );
  expect(described.stdout).toMatch(
    /^ {2}fromSeq +uint64 +The first seq of the range; 0 means the first entry\./m,
  );
  expect(described.stdout).toMatch(/^parley\.chat\.v1\.Target\n {2}username +string /m);
  expect(described.stdout).toContain("At most one of: username, conversationId, userId.");
});

test("the end of a full name is enough; an unknown name is refused with the closest one", async () => {
  await using stage = await scenario();
  const { home } = stage;
  const names = [
    "parley.chat.v1.DirectoryService/ListUsers",
    "/parley.chat.v1.DirectoryService/ListUsers",
    "v1.DirectoryService.ListUsers",
    "DirectoryService/ListUsers",
    "ListUsers",
  ];
  for (const { code, lines } of await Promise.all(names.map((name) => home.run("rpc", name)))) {
    expect({ code, lines }).toEqual({ code: 0, lines: ["{}"] });
  }
  expect(
    await mistakes(
      home,
      ["ChatService/SendMesage"],
      ["ChatServce/Follow"],
      ["Nonsense/SendMessage"],
      ["v2"],
      ["Service"],
      ["ChatService", "{}"],
      ["PeerService/Converse", "-"],
    ),
  ).toEqual([
    expect.stringContaining('no method "ChatService/SendMesage". Did you mean ChatService/SendMessage?'),
    expect.stringContaining("Did you mean ChatService/Follow?"),
    expect.stringContaining("Did you mean ChatService/SendMessage?"),
    expect.stringContaining('no method "v2". Without a name'),
    expect.stringContaining('no method "Service"'),
    expect.stringContaining("name it: SERVICE/METHOD"),
    expect.stringContaining("PeerService is a service of devices, which servers do not have"),
  ]);
});

test("a call reads JSON from the command line or standard input, and prints the answer in one line", async () => {
  await using stage = await scenario();
  const { home, server } = stage;
  const luke = await server.logIn("luke");
  const request = {
    clientMessageId: "7",
    target: { username: "luke" },
    content: { text: "by \u{202e}\u{9b}hand" },
  };
  const first = await home.run("rpc", "SendMessage", JSON.stringify(request));
  const again = await home.pipe(JSON.stringify(request, undefined, 2), "rpc", "SendMessage", "-");
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(parsed(first.lines[0])).toMatchObject({ ack: { clientMessageId: "7", seq: "1" } });
  expect(parsed(again.lines[0])).toMatchObject({ ack: { seq: "1", repeatedSend: true } });
  expect(await luke.textsWith("yoda")).toEqual(["by \u{202e}\u{9b}hand"]);

  const listed = await home.run("rpc", "ListMessages", '{"target": {"username": "luke"}, "from_seq": 1}');
  expect(listed.stdout).toContain(String.raw`by \u202e\u009bhand`);
  expect(parsed(listed.lines[0])).toMatchObject({
    items: [{ entry: { content: request.content } }],
    headSeq: "1",
  });
});

test("invalid JSON is refused before anything is sent, with the path of the field", async () => {
  await using stage = await scenario();
  const { home, server } = stage;
  const cases: [string, string, string][] = [
    ["SendMessage", "{", "The request is not JSON"],
    ["SendMessage", "[]", "The request: expected an object, not []"],
    [
      "SendMessage",
      '{"target": {"user": "luke"}}',
      "target.user: parley.chat.v1.Target has no such field. Did you mean username?",
    ],
    ["SendMessage", '{"target": "luke"}', 'target: expected an object, not "luke".'],
    ["SendMessage", '{"content": {"text": 7}}', "content.text: expected a string, not 7."],
    [
      "SendMessage",
      '{"clientMessageId": 5000000000000000001}',
      'clientMessageId: 5000000000000000001 is too long for a JSON number. Write it as a string: "5000000000000000001".',
    ],
    ["SendMessage", '{"clientMessageId": "x"}', "clientMessageId: expected a uint64"],
    ["SendMessage", '{"clientMessageId": 1, "clientMessageId": 2}', 'duplicate object key "clientMessageId"'],
    ["SendMessage", '{"target": {"username": "a", "conversationId": "b"}}', "oneof set multiple times"],
    ["SetMarkers", '{"markers": [{}, {"readSeq": -1}]}', "markers[1].readSeq: expected a uint64"],
    ["ListUsers", '{"onlineWithin": 3}', 'onlineWithin: expected a time span such as "1.5s"'],
    [
      "ListMessages",
      '{"order": "UP"}',
      "order: expected one of PAGE_ORDER_UNSPECIFIED, PAGE_ORDER_OLDEST_FIRST",
    ],
    ["Connect", "{}", "Write its requests to standard input"],
    [
      "LogIn",
      '{"username": "luke", "password": "x"}',
      "password: other users of this machine can read a command line.",
    ],
  ];
  const said = await mistakes(home, ...cases.map(([method, json]) => [method, json]));
  expect(said).toEqual(cases.map(([, , expected]) => expect.stringContaining(expected)));
  expect(server.logged.filter(({ level }) => level > 30)).toEqual([]);
});

test("a secret is read from standard input only", async () => {
  await using stage = await scenario();
  const { home } = stage;
  const json = JSON.stringify({ oldPassword: "password of yoda", newPassword: "another password" });
  expect(await home.pipe(json, "rpc", "ChangePassword", "-")).toMatchObject({ code: 0, stdout: "{}\n" });
});

test("a refusal is printed with its reason and details; a missing login or server has its own exit code", async () => {
  await using stage = await scenario();
  const { home, server } = stage;
  const request = '{"target": {"username": "nobody"}, "content": {"text": "hi"}}';
  const refused = await home.run("rpc", "SendMessage", request);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr.split("\n")).toEqual([
    "There is no user of that name. (USER_NOT_FOUND)",
    '  google.rpc.ErrorInfo {"reason":"USER_NOT_FOUND","domain":"parley.chat.v1"}',
    expect.stringMatching(/^ {2}google\.rpc\.BadRequest \{"fieldViolations":\[\{"field":"target\.username"/),
    "",
  ]);
  expect(await home.run("rpc", "ListUsers", "--as", "luke")).toMatchObject({ code: 4 });
  await server.stop();
  expect(await home.run("rpc", "ListUsers")).toMatchObject({ code: 3, stdout: "" });
  await server.start();
  const ended = await home.run("rpc", "LogOut");
  expect(ended).toMatchObject({ code: 0 });
  const after = await home.run("rpc", "ListUsers");
  expect(after).toMatchObject({ code: 4 });
  expect(after.stderr.split("\n")).toEqual([
    expect.stringContaining("npx parley login yoda"),
    '  google.rpc.ErrorInfo {"reason":"TOKEN_INVALID","domain":"parley.chat.v1"}',
    "",
  ]);
});

/** The first line with this word. The server may join events in frames in any way. */
async function lineWith(lines: Lines, word: string): Promise<string> {
  for (;;) {
    const line = await lines.next();
    if (line.includes(word)) return line;
  }
}

test("a response stream is printed with one line for each frame, until Ctrl-C", async () => {
  await using stage = await scenario();
  const { home, server } = stage;
  const luke = await server.logIn("luke");
  const child = home.start("rpc", "ChatService/Follow", '{"hello": {"features": ["FEATURE_TYPING"]}}');
  const lines = new Lines(child);
  const end = finished(child);
  const { events } = parsed(await lines.next()) as { events: object[] };
  expect(events[0]).toMatchObject({ welcome: { user: { username: "yoda" } } });
  await luke.send("yoda", "live");
  expect(await lineWith(lines, "entryAppended")).toContain('"content":{"text":"live"}');
  child.kill("SIGINT");
  expect(await end).toMatchObject({ code: 0, stderr: "" });
});

test("a stream in both directions sends a request for each line, and ends with the input", async () => {
  await using stage = await scenario();
  const { home } = stage;
  const child = home.start("rpc", "Connect");
  const lines = new Lines(child);
  const end = finished(child);
  child.stdin.write('{"commands": [{"hello": {"features": ["FEATURE_TYPING"]}}]}\n\n');
  await lineWith(lines, "caughtUp");
  const send = { clientMessageId: "1", target: { username: "luke" }, content: { text: "live" } };
  const frame = `${JSON.stringify({ commands: [{ sendMessage: send }] })}\n`;
  child.stdin.write(frame.slice(0, 20));
  child.stdin.write(frame.slice(20));
  expect(parsed(await lineWith(lines, '"ack"'))).toMatchObject({
    events: [{ ack: { clientMessageId: "1" } }],
  });
  child.stdin.end('{"commands": [{"setTyping": {"target": {"username": "nobody"}, "typing": true}}]}');
  expect(await lineWith(lines, "refused")).toContain("REASON_USER_NOT_FOUND");
  expect(await end).toMatchObject({ code: 0, stderr: "" });
});

test("an invalid line ends the stream with its number; a server can end it while the input is open", async () => {
  await using stage = await scenario();
  const { home, server } = stage;
  const hello = '{"commands": [{"hello": {}}]}\n';
  const wrong = await home.pipe(`${hello}{"commands": [{"sendMesage": {}}]}\n`, "rpc", "Connect");
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain("Line 2: commands[0].sendMesage: parley.chat.v1.Command has no such field.");
  const child = home.start("rpc", "Connect");
  const lines = new Lines(child);
  const end = finished(child);
  child.stdin.write(hello);
  await lines.next();
  await server.stop();
  const { code, stderr } = await end;
  expect(code).toBe(1);
  expect(stderr).toContain("SERVER_STOPPING");
  expect(stderr).toContain("google.rpc.RetryInfo");
});

test("a full disk below standard output is a failure, for every command that prints", async () => {
  await using at = await scenario();
  const calls = [
    ["rpc", "ListUsers"],
    ["rpc", "ChatService/Follow", '{"hello": {}}'],
    ["rpc"],
    ["whoami"],
    ["send", "luke", "hello"],
    ["help"],
  ];
  for (const argv of calls) {
    const run = await at.home.runOnFullDisk(...argv);
    expect({ argv, ...run }).toMatchObject({
      argv,
      code: 1,
      stderr: expect.stringContaining(
        "Standard output cannot be written: no space left on device.",
      ) as string,
    });
  }
});

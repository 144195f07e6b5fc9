// rpc calls whatever the schema has: by name, with JSON in and out, over all kinds of calls, and says what is wrong.
import { expect, test } from "vitest";
import { schema } from "../../../client/cli/process/schema.ts";
import { TestServer } from "../../support/server.ts";
import { finished, Home, Lines, parsed } from "./parley.ts";

interface Scenario extends AsyncDisposable {
  readonly server: TestServer;
  readonly home: Home;
}

/** yoda logged in, and a server with luke. */
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

/** The reasons with which each of these calls is a mistake on the command line. */
async function mistakes(home: Home, ...calls: readonly (readonly string[])[]): Promise<string[]> {
  const runs = await Promise.all(calls.map((words) => home.run("rpc", ...words)));
  expect(runs.map(({ code, stdout }) => ({ code, stdout }))).toEqual(
    calls.map(() => ({ code: 2, stdout: "" })),
  );
  return runs.map(({ stderr }) => stderr.trim());
}

test("alone it lists every method of the schema; --describe shows what one takes", async () => {
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
  expect(one.lines).toHaveLength(3);
  expect(described.lines[0]).toBe(
    "parley.chat.v1.HistoryService/ListMessages: one ListMessagesRequest up, one ListMessagesResponse down",
  );
  expect(described.stdout).toMatch(
    /^ {2}fromSeq +uint64 +The first seq wanted; 0 means from the beginning\.$/m,
  );
  expect(described.stdout).toMatch(/^parley\.chat\.v1\.Target\n {2}username +string /m);
  expect(described.stdout).toContain("At most one of: username, conversationId.");
});

test("a name may be any end of the full one; an unknown one is refused with the closest", async () => {
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
    expect.stringContaining("name a method"),
    expect.stringContaining("PeerService is what devices offer to each other, and no server"),
  ]);
});

test("a call takes JSON from the line or from standard input, and answers with one line of it", async () => {
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
  expect(await luke.said("yoda")).toEqual(["by \u{202e}\u{9b}hand"]);

  const listed = await home.run("rpc", "ListMessages", '{"target": {"username": "luke"}, "from_seq": 1}');
  expect(listed.stdout).toContain(String.raw`by \u202e\u009bhand`);
  expect(parsed(listed.lines[0])).toMatchObject({
    items: [{ entry: { content: request.content } }],
    headSeq: "1",
  });
});

test("JSON that does not fit is refused before anything is sent, with the place in it", async () => {
  await using stage = await scenario();
  const { home, server } = stage;
  const cases: [string, string, string][] = [
    ["SendMessage", "{", "The request is no JSON"],
    ["SendMessage", "[]", "The request: an object is expected here, not []"],
    [
      "SendMessage",
      '{"target": {"user": "luke"}}',
      "target.user: parley.chat.v1.Target has no such field. Did you mean username?",
    ],
    ["SendMessage", '{"target": "luke"}', 'target: an object is expected here, not "luke".'],
    ["SendMessage", '{"content": {"text": 7}}', "content.text: a string is expected here, not 7."],
    [
      "SendMessage",
      '{"clientMessageId": 5000000000000000001}',
      'clientMessageId: 5000000000000000001 is too long for a JSON number. Write it as a string: "5000000000000000001".',
    ],
    ["SendMessage", '{"clientMessageId": "x"}', "clientMessageId: a uint64 is expected here"],
    ["SendMessage", '{"clientMessageId": 1, "clientMessageId": 2}', 'duplicate object key "clientMessageId"'],
    ["SendMessage", '{"target": {"username": "a", "conversationId": "b"}}', "oneof set multiple times"],
    ["SetMarkers", '{"markers": [{}, {"readSeq": -1}]}', "markers[1].readSeq: a uint64 is expected here"],
    ["ListUsers", '{"onlineWithin": 3}', 'onlineWithin: a time span such as "1.5s" is expected here'],
    ["ListMessages", '{"order": "UP"}', "order: one of PAGE_ORDER_UNSPECIFIED, PAGE_ORDER_OLDEST_FIRST"],
    ["Connect", "{}", "write its requests to standard input"],
    ["LogIn", '{"username": "luke", "password": "x"}', "password: others can read a command line."],
  ];
  const said = await mistakes(home, ...cases.map(([method, json]) => [method, json]));
  expect(said).toEqual(cases.map(([, , expected]) => expect.stringContaining(expected)));
  expect(server.logged.filter(({ level }) => level > 30)).toEqual([]);
});

test("a secret goes through standard input", async () => {
  await using stage = await scenario();
  const { home } = stage;
  const json = JSON.stringify({ oldPassword: "password of yoda", newPassword: "another password" });
  expect(await home.pipe(json, "rpc", "ChangePassword", "-")).toMatchObject({ code: 0, stdout: "{}\n" });
});

test("a refusal names its reason and its details; no login and no server have their own exit codes", async () => {
  await using stage = await scenario();
  const { home, server } = stage;
  const request = '{"target": {"username": "nobody"}, "content": {"text": "hi"}}';
  const refused = await home.run("rpc", "SendMessage", request);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr.split("\n")).toEqual([
    "There is no user of that name. (USER_NOT_FOUND)",
    '  google.rpc.ErrorInfo {"reason":"USER_NOT_FOUND","domain":"parley"}',
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
    '  google.rpc.ErrorInfo {"reason":"TOKEN_INVALID","domain":"parley"}',
    "",
  ]);
});

/** The first line with this word; how the server joins its events in frames is its own affair. */
async function lineWith(lines: Lines, word: string): Promise<string> {
  for (;;) {
    const line = await lines.next();
    if (line.includes(word)) return line;
  }
}

test("a stream that comes down is a line for each frame, until Ctrl-C", async () => {
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

test("a stream in both directions takes a request from each line, and ends with the input", async () => {
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

test("a line that does not fit ends the stream and is named; so does a server that ends it, while input is open", async () => {
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

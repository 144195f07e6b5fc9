// record writes a stream to a file; replay sends it again, on this server or another, and prints the differences.
import { readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { sizeDelimitedDecodeStream } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { messageOf } from "../../../client/cli/process/schema.ts";
import { RecordingError } from "../../../client/cli/recording/recording-error.ts";
import { readRecording } from "../../../client/cli/recording/recording-reader.ts";
import { withoutSecrets } from "../../../client/cli/recording/without-secrets.ts";
import { Direction, type Frame } from "../../../gen/parley/record/v1/recording.ts";
import { passwordOf, TestServer } from "../../support/server.ts";
import { newFolder } from "../state/fixture.ts";
import { FaultyProxy } from "./faults.ts";
import { finished, Home, Lines, parsed, type Run } from "./parley.ts";

async function server(): Promise<TestServer> {
  const started = await TestServer.start({ users: ["yoda", "luke", "leia"] });
  onTestFinished(() => started[Symbol.asyncDispose]());
  return started;
}

/** A state folder in which yoda is logged in. */
async function homeOf(started: TestServer): Promise<Home> {
  const home = await Home.make({ npm_command: "exec" });
  onTestFinished(() => home[Symbol.asyncDispose]());
  await home.logIn("yoda", started, "--plaintext");
  return home;
}

function frame(...commands: object[]): string {
  return `${JSON.stringify({ commands })}\n`;
}

function message(clientMessageId: number, username: string, text: string): object {
  return { sendMessage: { clientMessageId, target: { username }, content: { text } } };
}

/** Two messages, one of them sent twice, a message that is refused, and one to all users. */
const conversation = [
  frame(message(1, "luke", "one"), message(2, "nobody", "lost")),
  frame(message(1, "luke", "one"), message(3, "luke", "two")),
  frame({ broadcast: { content: { text: "to all" } } }),
].join("");

async function recorded(home: Home, input = conversation): Promise<string> {
  const file = join(home.folder, "bug.parley");
  expect(await home.pipe(input, "record", file, "--send")).toMatchObject({ code: 0 });
  return file;
}

/** The items of the file in JSON, as other programs read them. */
async function itemsOf(file: string): Promise<Record<string, { [key: string]: unknown }>[]> {
  const schema = messageOf("parley.record.v1.Item");
  const bytes = await readFile(file);
  const items = [];
  for await (const item of sizeDelimitedDecodeStream(
    schema,
    (async function* () {
      yield bytes;
    })(),
  ))
    items.push(toJson(schema, item) as Record<string, { [key: string]: unknown }>);
  return items;
}

function inFrame(item: Record<string, { [key: string]: unknown }> | undefined): unknown {
  const { direction, message: bytes } = item?.frame ?? {};
  const schema = messageOf(`parley.chat.v1.Connect${direction === "DIRECTION_UP" ? "Request" : "Response"}`);
  return toJson(schema, fromBinary(schema, Buffer.from(String(bytes), "base64")));
}

/** The position in the file after the first such frame. */
async function endOfFrame(file: string, isIt: (frame: Frame, index: number) => boolean): Promise<number> {
  const { frames } = await readRecording(file);
  const found = frames.find(isIt);
  const bytes = await readFile(file);
  return bytes.indexOf(found?.message ?? "") + (found?.message.length ?? 0);
}

test("record prints messages, and writes the frames of both directions without secrets, for its user alone", async () => {
  const started = await server();
  const home = await homeOf(started);
  const luke = await started.logIn("luke");
  await luke.send("yoda", "before");
  const file = join(home.folder, "bug.parley");
  using here = await luke.connect().caughtUp();
  const child = home.start("record", file);
  const lines = new Lines(child);
  const end = finished(child);
  await here.next("presenceChanged", ({ cameOnline }) =>
    cameOnline.some(({ username }) => username === "yoda"),
  );
  await luke.send("yoda", "hello \u{1b}[31m");
  expect(await lines.next()).toMatch(/luke → yoda: hello ␛\[31m$/);
  child.kill("SIGINT");
  expect(await end).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^Recorded \d+ frames in .*bug.parley\.$/m),
  });

  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const items = await itemsOf(file);
  expect(items[0]).toMatchObject({
    header: {
      format: "parley recording",
      method: "/parley.chat.v1.ChatService/Connect",
      username: "yoda",
      conversations: expect.arrayContaining([expect.objectContaining({ username: "luke", headSeq: "1" })]),
    },
  });
  expect(inFrame(items[1])).toMatchObject({
    commands: [{ hello: { cursors: expect.arrayContaining([expect.objectContaining({ seq: "1" })]) } }],
  });
  const down = items.slice(2, -1).map(inFrame);
  expect(JSON.stringify(down[0])).toMatch(/^\{"events":\[\{"welcome":/);
  expect(JSON.stringify(down)).toContain("hello");
  expect(JSON.stringify(down)).not.toContain("before");
  expect(items.at(-1)).toMatchObject({ end: {} });
  const offsets = items.slice(1).map((item) => Number.parseFloat(String((item.frame ?? item.end)?.offset)));
  expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));

  const token = (await home.run("token")).stdout.trim();
  const bytes = (await readFile(file)).toString("latin1");
  expect(bytes).toContain("hello");
  for (const secret of [token, passwordOf("yoda")]) expect(bytes).not.toContain(secret);
  expect(await home.run("record", file)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("exists already"),
  });
});

test("a replay under new ids has no differences: on the same server, later, and on another server", async () => {
  const started = await server();
  const home = await homeOf(started);
  const luke = await started.logIn("luke");
  const file = await recorded(home);
  expect(await luke.textsWith("yoda")).toEqual(["one", "two"]);
  const same = { code: 0, stdout: "", stderr: "No difference: 7 answers were compared.\n" };
  expect(await home.run("replay", file)).toEqual({ ...same, lines: [] });
  expect(await luke.textsWith("yoda")).toEqual(["one", "two", "one", "two"]);
  expect(await home.run("replay", file, "--speed", "1x")).toMatchObject(same);

  // On this server the conversations have other ids and heads, and there are more of them.
  const other = await server();
  const leia = await other.logIn("leia");
  await leia.send("yoda", "the first conversation there");
  await leia.broadcast("to all");
  const otherLuke = await other.logIn("luke");
  await otherLuke.send("yoda", "hello");
  const otherHome = await homeOf(other);
  expect(await otherHome.run("replay", file)).toMatchObject(same);
  expect(await otherLuke.textsWith("yoda")).toEqual(["hello", "one", "two"]);
  expect(await otherHome.run("replay", file, "--all")).toMatchObject({
    stdout: expect.not.stringContaining("the log"),
  });
});

test("frames that name conversations are translated for the replay", async () => {
  const started = await server();
  const home = await homeOf(started);
  const luke = await started.logIn("luke");
  const { conversationId } = await luke.send("yoda", "one");
  const byId = { sendMessage: { clientMessageId: 1, target: { conversationId }, content: { text: "two" } } };
  const marker = { setMarkers: { markers: [{ conversationId, readSeq: 2 }] } };
  const file = await recorded(home, [frame(byId), frame(marker)].join(""));

  const other = await server();
  const leia = await other.logIn("leia");
  expect(await leia.send("yoda", "has that id here")).toMatchObject({ conversationId });
  const otherLuke = await other.logIn("luke");
  for (const text of ["a", "b", "c"]) await otherLuke.send("yoda", text);
  const otherHome = await homeOf(other);
  expect(await otherHome.run("replay", file)).toMatchObject({ code: 0 });
  expect(await otherLuke.textsWith("yoda")).toEqual(["a", "b", "c", "two"]);
  expect(await leia.textsWith("yoda")).toEqual(["has that id here"]);
  const { conversations } = parsed((await otherHome.run("rpc", "ListConversations")).lines[0]);
  const markers = (conversations as { peer?: { username: string }; marker?: { readSeq?: string } }[])
    .filter(({ peer }) => peer !== undefined)
    .map(({ peer, marker }) => [peer?.username, marker?.readSeq]);
  expect(markers).toEqual([
    ["leia", undefined],
    ["luke", "4"],
  ]);
});

test("a different answer is printed beside the recorded one, with exit code 1", async () => {
  const started = await server();
  const home = await homeOf(started);
  const file = await recorded(home);
  const luke = await started.logIn("luke");
  await luke.block("yoda");
  const run = await home.run("replay", file);
  expect(run).toMatchObject({ code: 1, stderr: "Differences: 4; 7 answers were compared.\n" });
  expect(run.lines.slice(0, 3)).toEqual([
    "send 1, to luke",
    '  recorded: {"ack":{"conversation":"with luke","seq":"#1"}}',
    '  now:      {"refused":{"reason":"REASON_BLOCKED_BY_RECIPIENT","field":"target"}}',
  ]);
  const json = await home.run("replay", file, "--json");
  expect(json).toMatchObject({ code: 1 });
  expect(json.lines.map(parsed)).toMatchObject([
    { subject: "send 1, to luke" },
    { subject: "send 1, to luke" },
    {
      subject: "send 3, to luke",
      recorded: expect.stringContaining("ack"),
      replayed: expect.stringContaining("refused"),
    },
    { subject: "send 4, to everyone", replayed: expect.stringContaining("withheld") },
  ]);
});

test("the reason of a stream that the server ends is recorded, and a missing end is a difference", async () => {
  const started = await server();
  const home = await homeOf(started);
  const file = join(home.folder, "bug.parley");
  const child = home.start("record", file, "--json");
  const lines = new Lines(child);
  const end = finished(child);
  expect(parsed(await lines.next())).toHaveProperty("welcome");
  await started.stop();
  expect(await end).toMatchObject({ code: 1, stderr: expect.stringContaining("SERVER_STOPPING") });
  expect((await itemsOf(file)).at(-1)).toMatchObject({ end: { code: 14, reason: "SERVER_STOPPING" } });
  await started.start();
  const run = await home.run("replay", file, "--wait", "3s");
  expect(run).toMatchObject({ code: 1 });
  expect(run.stdout).toBe(
    'the ending\n  recorded: {"code":14,"reason":"SERVER_STOPPING"}\n  now:      {"code":0,"reason":""}\n',
  );
});

test("an invalid line ends the recording; it can be replayed, even if it is cut off", async () => {
  const started = await server();
  const home = await homeOf(started);
  const file = join(home.folder, "bug.parley");
  const program = home.start("record", file, "--send", "--json");
  const lines = new Lines(program);
  const ended = finished(program);
  while (!("caughtUp" in parsed(await lines.next())));
  program.stdin.end(`${frame(message(1, "luke", "hi"))}{"comands": []}\n`);
  const run = await ended;
  expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining("Did you mean commands?") });
  expect(run.stderr).toMatch(/Line \d+: .* The stream was ended; the lines before it were sent\./);
  expect(await home.run("replay", file)).toMatchObject({ code: 0 });
  // As if the program had been killed before the answer to the message arrived.
  await truncate(
    file,
    await endOfFrame(file, ({ direction }, index) => direction === Direction.UP && index > 0),
  );
  const cut = await home.run("replay", file);
  const words = `${file} was cut off. It is replayed up to there.\nNo difference: 2 answers were compared.\n`;
  expect(cut).toMatchObject({ code: 0, stderr: words });
});

test("a file that is not a valid recording is refused with exit code 2 and the reason", async () => {
  const started = await server();
  const home = await homeOf(started);
  const file = await recorded(home);
  const refused = async (path: string): Promise<Run["stderr"]> => {
    const run = await home.run("replay", path);
    expect(run).toMatchObject({ code: 2, stdout: "" });
    return run.stderr;
  };
  const other = join(home.folder, "other");
  await writeFile(other, "Dear Luke,\nthis is no recording.\n");
  expect(await refused(other)).toContain("is not a recording.");
  await writeFile(other, "");
  expect(await refused(other)).toContain("is not a recording.");
  expect(await refused(home.folder)).toContain("is not a file.");
  expect(await refused(join(home.folder, "nowhere"))).toContain("cannot be read: no such file or directory.");
  // Bytes that look like an item with its length are not a broken recording, but another file.
  await writeFile(other, Buffer.from("020a00050a030a0101", "hex"));
  expect(await refused(other)).toContain("is not a recording.");
  const whole = await readFile(file);
  await writeFile(file, Buffer.concat([whole, Buffer.from("02ffff", "hex")]));
  expect(await refused(file)).toMatch(/is broken: item \d+ cannot be decoded/);
  await writeFile(file, whole);
  const mended = await home.run("record", join(home.folder, "nowhere", "new"));
  expect(mended).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("written: no such file or directory."),
  });
  // The last item is incomplete; the items before it are replayed.
  await truncate(file, (await stat(file)).size - 1);
  const cut = await home.run("replay", file);
  expect(cut.stderr).toContain("was cut off. It is replayed up to there.");
});

test("a connection that is lost with --send leaves the outcome unknown, and the recording complete", async () => {
  const started = await server();
  await using proxy = await FaultyProxy.start(() => started.port);
  await using home = await Home.make();
  const login = ["login", "yoda", "--password-stdin", "--plaintext", "--server", proxy.address];
  expect(await home.pipe(passwordOf("yoda"), ...login)).toMatchObject({ code: 0 });
  const file = join(home.folder, "lost.parley");
  const child = home.start("record", file, "--send");
  const lines = new Lines(child);
  const end = finished(child);
  child.stdin.write(frame(message(1, "luke", "one")));
  expect(await lines.next()).toBe("Stored: number 1.");
  proxy.fault("cut");
  const { code, stderr } = await end;
  expect(code).toBe(5);
  expect(stderr).toMatch(/Recorded \d+ frames in .*lost\.parley\.\n/);
  expect(stderr).toContain("it is not known whether it was done");
  expect(await home.run("replay", file)).toMatchObject({ code: 0 });
});

test("the reader reads or refuses any bytes", async () => {
  using folder = newFolder();
  const started = await server();
  const whole = await readFile(await recorded(await homeOf(started)));
  const file = join(folder.path, "cut");
  const frames: number[] = [];
  for (let length = 0; length < whole.length; length++) {
    await writeFile(file, whole.subarray(0, length));
    const read = await readRecording(file).catch((error: unknown) => error);
    if (!(read instanceof RecordingError)) frames.push((read as { frames: unknown[] }).frames.length);
  }
  // Cut anywhere after its header, it is a recording without an end.
  const { frames: all } = await (async () => {
    await writeFile(file, whole);
    return readRecording(file);
  })();
  expect([...new Set(frames)]).toEqual(Array.from({ length: all.length + 1 }, (_, count) => count));
  expect(frames).toEqual(frames.toSorted((one, other) => one - other));
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.nat(whole.length), async (bytes, at) => {
      await writeFile(file, Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + bytes.length)]));
      await readRecording(file).catch((error: unknown) => expect(error).toBeInstanceOf(RecordingError));
    }),
    { numRuns: 200 },
  );
});

test("secret fields are removed from a recording, other fields are not", () => {
  const schema = messageOf("parley.chat.v1.LogInResponse");
  const json = {
    grant: { token: "secret", sessionId: "s1", device: { deviceId: "d1", deviceSecret: "secret" } },
  };
  const whole = toBinary(schema, fromJson(schema, json));
  expect(toJson(schema, fromBinary(schema, withoutSecrets(schema, whole)))).toEqual({
    grant: { sessionId: "s1", device: { deviceId: "d1" } },
  });
  const harmless = Buffer.concat([
    toBinary(schema, fromJson(schema, { grant: { sessionId: "s1" } })),
    Uint8Array.of(0x78, 1),
  ]);
  expect(withoutSecrets(schema, harmless)).toBe(harmless);
});

// Measures what a server goes through while one session asks for many large pages and takes none, or all, of them: its
// memory, its memory 10 s later, and the longest wait of another user.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, connect, type SecureClientSessionOptions } from "node:http2";
import { credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import {
  AuthServiceClient,
  type LogInRequest,
  type LogInResponse,
} from "../gen/parley/chat/v1/auth_service.ts";
import { ChatServiceClient } from "../gen/parley/chat/v1/chat_service.ts";
import { ListMessagesRequest } from "../gen/parley/chat/v1/history_service.ts";
import { delay } from "../time/wait.ts";
import type { ServerMessage } from "./measure.ts";
import { readCommandLine } from "./usage.ts";

readCommandLine({
  command: "npx node bench/untaken-answers.ts",
  what: "Measures what a server goes through while one session asks for many large pages and takes none, or all, of them.",
  flags: {},
});

const CONNECTIONS = 40;
const CALLS_PER_CONNECTION = 10;
const MESSAGES = 500;
const TEXT = "x".repeat(32_000);
const MiB = 1024 * 1024;

interface Attack {
  readonly name: string;
  readonly settings: SecureClientSessionOptions["settings"];
}

const attacks: readonly Attack[] = [
  { name: "nothing is taken", settings: { initialWindowSize: 0 } },
  { name: "everything is taken", settings: { initialWindowSize: 4 * MiB } },
];

type Call<Request, Response> = (
  request: Request,
  metadata: Metadata,
  callback: (error: ServiceError | null, response: Response) => void,
) => unknown;

async function unary<Request, Response>(
  client: object,
  call: Call<Request, Response>,
  request: Request,
  metadata: Metadata,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    call.call(client, request, metadata, (error, response) =>
      error === null ? resolve(response) : reject(error),
    );
  });
}

async function logIn(address: string, username: string): Promise<Metadata> {
  const auth = new AuthServiceClient(address, credentials.createInsecure());
  const request = { username, password: "a bench password", device: undefined, client: undefined };
  const { grant } = await unary<LogInRequest, LogInResponse>(auth, auth.logIn, request, new Metadata());
  auth.close();
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${grant?.token}`);
  return metadata;
}

function residentBytes(pid: number): number {
  const [, kilobytes = "0"] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}

/** Sends a message every 50 ms, and remembers the longest wait for an Ack. */
class Other {
  readonly #chat: ChatServiceClient;
  readonly #metadata: Metadata;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  longestMs = 0;
  failures = 0;
  streamEnds = 0;

  constructor(address: string, metadata: Metadata) {
    this.#chat = new ChatServiceClient(address, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    this.#metadata = metadata;
    const stream = this.#chat.follow({ hello: undefined }, metadata);
    stream.on("data", () => {});
    stream.on("error", () => this.streamEnds++);
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const began = performance.now();
      try {
        await unary(this.#chat, this.#chat.sendMessage, messageTo("receiver1", "hello"), this.#metadata);
      } catch {
        this.failures++;
      }
      this.longestMs = Math.max(this.longestMs, performance.now() - began);
      await delay(50);
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#chat.close();
  }
}

function messageTo(username: string, text: string) {
  return {
    clientMessageId: 0n,
    target: { target: { $case: "username" as const, value: username } },
    content: { kind: { $case: "text" as const, value: text } },
  };
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

interface Answers {
  count: number;
  bytes: number;
}

async function open(address: string, settings: Attack["settings"]): Promise<ClientHttp2Session> {
  const session = connect(`http://${address}`, settings === undefined ? {} : { settings });
  session.on("error", () => {});
  await once(session, "connect");
  if (settings?.initialWindowSize !== 0) session.setLocalWindowSize(64 * MiB);
  return session;
}

function ask(session: ClientHttp2Session, metadata: Metadata, answers: Answers): void {
  const request = ListMessagesRequest.encode({
    target: { target: { $case: "username", value: "receiver0" } },
    fromSeq: 0n,
    toSeq: 0n,
    fromTime: undefined,
    toTime: undefined,
    order: 0,
    pageSize: 500,
    pageToken: "",
    background: false,
  }).finish();
  const stream = session.request({
    ":method": "POST",
    ":path": "/parley.chat.v1.HistoryService/ListMessages",
    "content-type": "application/grpc",
    te: "trailers",
    authorization: String(metadata.get("authorization")[0]),
  });
  stream.on("error", () => {});
  stream.on("data", (bytes: Buffer) => (answers.bytes += bytes.length));
  stream.on("trailers", () => answers.count++);
  stream.end(framed(request));
}

async function run(child: ChildProcess, address: string, attack: Attack): Promise<void> {
  const pid = child.pid ?? 0;
  const other = new Other(address, await logIn(address, "sender1"));
  const attacker = await logIn(address, "sender0");
  await delay(3_000);
  const quietMs = other.longestMs;
  const before = residentBytes(pid);
  other.longestMs = 0;
  let peak = 0;
  const sampler = setInterval(() => (peak = Math.max(peak, residentBytes(pid))), 50);
  const answers: Answers = { count: 0, bytes: 0 };
  const sessions = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => open(address, attack.settings)),
  );
  for (let call = 0; call < CALLS_PER_CONNECTION; call++) {
    for (const session of sessions) if (!session.destroyed) ask(session, attacker, answers);
  }
  await delay(20_000);
  const held = residentBytes(pid);
  for (const session of sessions) session.destroy();
  await delay(10_000);
  clearInterval(sampler);
  const later = residentBytes(pid);
  await other.stop();
  const mebibytes = (bytes: number): string => `${Math.round(bytes / MiB)} MiB`;
  console.log(
    `${attack.name}: resident before ${mebibytes(before)}, peak ${mebibytes(peak)}, after 20 s ${mebibytes(held)}, ` +
      `10 s after the connections closed ${mebibytes(later)}; longest wait of another user ` +
      `${Math.round(other.longestMs)} ms (quiet ${Math.round(quietMs)} ms), ${other.failures} failed sends, ` +
      `${other.streamEnds} streams ended; ${answers.count} answers with ${mebibytes(answers.bytes)} arrived`,
  );
}

for (const attack of attacks) {
  const child = fork(new URL("parley-server.ts", import.meta.url), ["2", "5000"], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [message] = (await once(child, "message")) as [ServerMessage];
  const address = `127.0.0.1:${"port" in message ? message.port : 0}`;
  const chat = new ChatServiceClient(address, credentials.createInsecure());
  const sender = await logIn(address, "sender0");
  for (let index = 0; index < MESSAGES; index++) {
    await unary(chat, chat.sendMessage, messageTo("receiver0", TEXT), sender);
  }
  chat.close();
  await run(child, address, attack);
  const gone = once(child, "exit");
  child.send("stop");
  await gone;
}
process.exit();

// parley rpc: calls any method of the schema, with JSON in and out.
import type { DescMethod } from "@bufbuild/protobuf";
import { parseWait } from "../../../command-line/durations.ts";
import { toggle } from "../../../command-line/flags.ts";
import { openRawCall, type RawCall } from "../../../rpc/dialling/raw-call.ts";
import { withAccount } from "../account/with-account.ts";
import { methodLines, serviceLines } from "../calling/describe.ts";
import { findMethod, fullName, servicesOf } from "../calling/find-method.ts";
import { readLine, readRequest } from "../calling/read-request.ts";
import { withDetails } from "../calling/refused.ts";
import { accountFlags } from "../command/account-flags.ts";
import { type Call, defineCommand } from "../command/command.ts";
import { usage } from "../process/exit.ts";
import { eachLine, readText } from "../process/input.ts";
import { safeProtoJson } from "../process/proto-json.ts";
import { schema } from "../process/schema.ts";
import { stopSignal } from "../process/stop-signal.ts";
import type { Styled } from "../terminal/text/style.ts";

const defaultWaitMs = 10_000;

const flags = {
  describe: toggle("Print the fields of the request, instead of calling the method."),
  wait: {
    value: "TIME",
    help: "How long a single answer may take. Default: 10s. Streams have no limit.",
    read: parseWait,
  },
  ...accountFlags,
} as const;

type RpcCall = Call<typeof flags>;

const PEER_SERVICE = "parley.peer.v1.PeerService";

export const command = defineCommand({
  forms: ["", "SERVICE/METHOD [JSON]", "SERVICE/METHOD -", "SERVICE/METHOD --describe"],
  words: { least: 0, most: 2 },
  flags,
  about: [
    "Without a name it lists services and methods. The end of a name is enough if only one name ends so: " +
      "HistoryService/ListMessages, or ListMessages. The call is made as the stored login. The request and the answers are " +
      "Protobuf-JSON, with one line for each answer, in which characters that could harm a terminal are escaped. Without " +
      "JSON the request is empty; - reads it from standard input, which is required for a password. A method with a " +
      "request stream reads one request from each line of standard input. Ctrl-C ends a stream with exit code 0.",
    "The details of a refusal are printed after it, one per line.",
  ],
  json: "the same as without it.",
  examples: [
    "",
    "ListMessages --describe",
    'ListMessages \'{"target": {"username": "yoda"}}\'',
    "ChatService/Follow '{\"hello\": {}}'",
    "ChatService/Connect < frames.jsonl",
  ],
  run: async (call) => {
    const [given, json] = call.words;
    const found = given === undefined ? undefined : findMethod(schema(), given);
    if (found?.kind !== "rpc" || call.values.describe === true) {
      if (json !== undefined) throw usage(`To call a method, name it: SERVICE/METHOD.`);
      const services = found?.kind === "service" ? [found] : servicesOf(schema());
      const lines = found?.kind === "rpc" ? methodLines(found) : services.flatMap(serviceLines);
      await print(call, lines);
      return undefined;
    }
    // Devices offer this service to each other; servers do not have it.
    if (found.parent.typeName === PEER_SERVICE)
      throw usage(
        `${found.parent.name} is a service of devices, which servers do not have. --describe shows it.`,
      );
    await run(call, found, json);
    return undefined;
  },
});

async function print(call: RpcCall, lines: readonly Styled[]): Promise<void> {
  for (const line of lines) await call.output.line(line);
}

async function run(call: RpcCall, method: DescMethod, json: string | undefined): Promise<void> {
  const takesStream = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
  if (takesStream && json !== undefined && json !== "-")
    throw usage(`${method.name} has a request stream. Write its requests to standard input, one per line.`);
  const request = takesStream ? undefined : await readRequestOf(call, method, json);
  try {
    // A call with only a response stream can be repeated; the outcome of any other call may be unknown.
    const effect = method.methodKind === "server_streaming" ? "reads" : "changes";
    await withAccount(call, effect, async ({ endpoint, token }) => {
      using stop = stopSignal(call.environment);
      const dialled = await endpoint.connect();
      const deadline =
        method.methodKind === "unary" ? { timeoutMs: call.values.wait ?? defaultWaitMs } : undefined;
      using raw = openRawCall(dialled, { path: `/${fullName(method)}`, token, ...deadline });
      const signal = AbortSignal.any([stop.signal, call.output.gone]);
      signal.addEventListener("abort", () => raw[Symbol.dispose]());
      await talk(call, method, raw, request, signal);
    });
  } catch (error) {
    throw withDetails(error);
  }
}

async function readRequestOf(call: RpcCall, { input }: DescMethod, json = "{}"): Promise<Uint8Array> {
  if (json !== "-") return readRequest(input, json, "command line");
  return readRequest(input, await readText(call.environment.stdin), "standard input");
}

/** Sends the requests and prints the answers at the same time, until the server or a signal ends the call. */
async function talk(
  call: RpcCall,
  method: DescMethod,
  raw: RawCall,
  request: Uint8Array | undefined,
  signal: AbortSignal,
): Promise<void> {
  let failure: Error | undefined;
  let isEnded = false;
  const sending = send(call, method, raw, request).catch((error: unknown) => {
    if (isEnded) return;
    failure = error instanceof Error ? error : new Error(String(error));
    raw[Symbol.dispose]();
  });
  try {
    for await (const answer of raw) await call.output.exact(safeProtoJson(method.output, answer));
  } catch (error) {
    if (failure === undefined && !signal.aborted) throw error;
  } finally {
    isEnded = true;
    if (request === undefined) call.environment.stdin.destroy();
    await sending;
  }
  if (failure !== undefined) throw failure;
}

async function send(
  call: RpcCall,
  method: DescMethod,
  raw: RawCall,
  request: Uint8Array | undefined,
): Promise<void> {
  if (request !== undefined) await raw.write(request);
  else {
    let number = 0;
    for await (const line of eachLine(call.environment.stdin)) {
      number++;
      if (line.trim() !== "") await raw.write(readLine(method.input, line, number));
    }
  }
  raw.end();
}

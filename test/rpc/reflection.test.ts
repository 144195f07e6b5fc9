// Server reflection and the health check of the server, without a token.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { credentials, type ServiceError, status } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import {
  ServerReflectionClient,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from "../../gen/grpc/reflection/v1/reflection.ts";
import { ServerReflectionClient as AlphaClient } from "../../gen/grpc/reflection/v1alpha/reflection.ts";
import { HealthClient, HealthCheckResponse_ServingStatus as Serving } from "../../gen/health/v1/health.ts";
import { listen } from "../../rpc/listening/listen.ts";
import { Health } from "../../rpc/schema/health.ts";
import { reflectionServices } from "../../rpc/schema/reflection.ts";
import { root } from "../repo/sources.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { TestServer } from "../support/server.ts";

const images = ["parley", "health", "reflection", "error-details"].map((name) =>
  readFileSync(join(root, "gen", `${name}.binpb`)),
);

type Asked = NonNullable<ServerReflectionRequest["messageRequest"]>;
type Answered = NonNullable<ServerReflectionResponse["messageResponse"]>;

/** Sends requests on one stream, half-closes it, and returns the answers in order. */
async function ask(
  port: number,
  asked: readonly Asked[],
  Client = ServerReflectionClient,
): Promise<Answered[]> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const call = client.serverReflectionInfo();
  const answers: Answered[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  call.on("data", (response: ServerReflectionResponse) => {
    if (response.messageResponse !== undefined) answers.push(response.messageResponse);
  });
  call.on("end", resolve).on("error", reject);
  for (const messageRequest of asked) call.write({ host: "here", messageRequest });
  call.end();
  await promise;
  return answers;
}

function fileNames(answer: Answered | undefined): string[] {
  if (answer?.$case !== "fileDescriptorResponse") throw new Error(`no files: ${JSON.stringify(answer)}`);
  return answer.value.fileDescriptorProto.map((file) => fromBinary(FileDescriptorProtoSchema, file).name);
}

test.each([
  ["v1", ServerReflectionClient],
  ["v1alpha", AlphaClient as unknown as typeof ServerReflectionClient],
])("%s lists every service, and returns a complete schema for each", async (_, Client) => {
  await using server = await TestServer.start({ reflection: images });
  const [listed] = await ask(server.port, [{ $case: "listServices", value: "" }], Client);
  if (listed?.$case !== "listServicesResponse") throw new Error("no list");
  const names = listed.value.service.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      "parley.chat.v1.AuthService",
      "parley.chat.v1.BlockService",
      "parley.chat.v1.ChatService",
      "parley.chat.v1.DirectoryService",
      "parley.chat.v1.HistoryService",
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
    ]),
  );
  for (const name of names) {
    const [answer] = await ask(server.port, [{ $case: "fileContainingSymbol", value: name }], Client);
    if (answer?.$case !== "fileDescriptorResponse") throw new Error(`${name} has no file`);
    const file = answer.value.fileDescriptorProto.map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: file.reverse() }));
    expect(registry.getService(name)?.typeName).toBe(name);
  }
});

test("files are found by path, by message, field, method, enum and value", async () => {
  await using server = await TestServer.start({ reflection: images });
  const symbols = [
    "parley.chat.v1.Entry",
    "parley.chat.v1.Entry.seq",
    "parley.chat.v1.Content.kind",
    "parley.chat.v1.ChatService.Connect",
    "parley.chat.v1.Reason",
    "parley.chat.v1.REASON_INTERNAL",
    // A message in the details of refusals.
    "google.rpc.ErrorInfo",
  ].map((value) => ({ $case: "fileContainingSymbol", value }) as const);
  const byPath = { $case: "fileByFilename", value: "parley/chat/v1/user.proto" } as const;
  const answers = await ask(server.port, [...symbols, byPath]);
  expect(answers.map((answer) => fileNames(answer)[0])).toEqual([
    "parley/chat/v1/entry.proto",
    "parley/chat/v1/entry.proto",
    "parley/chat/v1/entry.proto",
    "parley/chat/v1/chat_service.proto",
    "parley/chat/v1/reason.proto",
    "parley/chat/v1/reason.proto",
    "google/rpc/error_details.proto",
    "parley/chat/v1/user.proto",
  ]);
});

test("an unknown name is answered with an error, and the stream stays open", async () => {
  await using server = await TestServer.start({ reflection: images });
  const answers = await ask(server.port, [
    { $case: "fileContainingSymbol", value: "parley.chat.v1.Nothing" },
    { $case: "fileByFilename", value: "nothing.proto" },
    { $case: "allExtensionNumbersOfType", value: "nothing" },
    { $case: "fileContainingExtension", value: { containingType: "x", extensionNumber: 1 } },
    { $case: "allExtensionNumbersOfType", value: "parley.chat.v1.Entry" },
  ]);
  expect(answers.map((answer) => answer.$case)).toEqual([
    "errorResponse",
    "errorResponse",
    "errorResponse",
    "errorResponse",
    "allExtensionNumbersResponse",
  ]);
});

test("both services are missing if the operator turns them off", async () => {
  await using server = await TestServer.start({ health: false });
  await expect(ask(server.port, [{ $case: "listServices", value: "" }])).rejects.toMatchObject({
    code: status.UNIMPLEMENTED,
  });
  const client = new HealthClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  await expect(
    new Promise((resolve, reject) => {
      client.check({ service: "" }, (error, answer) => (error === null ? resolve(answer) : reject(error)));
    }),
  ).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
});

test("the health check has a status for each service, and notifies watchers when the server stops", async () => {
  await using server = await TestServer.start();
  const client = new HealthClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const check = (service: string) =>
    new Promise((resolve) => {
      client.check({ service }, (error, answer) => resolve(error?.code ?? answer.status));
    });
  for (const service of ["", "parley.chat.v1.ChatService", "parley.chat.v1.BlockService"]) {
    expect(await check(service)).toBe(Serving.SERVING);
  }
  expect(await check("nothing")).toBe(status.NOT_FOUND);
  const watched: Serving[] = [];
  const call = client.watch({ service: "parley.chat.v1.ChatService" });
  const first = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  call.on("data", ({ status: one }) => {
    watched.push(one);
    first.resolve();
  });
  call.on("end", ended.resolve).on("error", () => ended.resolve());
  await first.promise;
  await server.stop();
  await ended.promise;
  expect(watched).toEqual([Serving.SERVING, Serving.NOT_SERVING]);
});

test("a watch of an unknown service stays open", async () => {
  await using server = await TestServer.start();
  const client = new HealthClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const call = client.watch({ service: "nothing" });
  call.on("error", () => undefined);
  const [received] = await new Promise<{ status: Serving }[]>((resolve) => {
    call.on("data", (response) => resolve([response]));
  });
  expect(received?.status).toBe(Serving.SERVICE_UNKNOWN);
  call.cancel();
});

test("an import is sent once on a stream, and the file that is asked for each time", async () => {
  await using server = await TestServer.start({ reflection: images });
  const service: Asked = { $case: "fileContainingSymbol", value: "parley.chat.v1.ChatService" };
  const event: Asked = { $case: "fileContainingSymbol", value: "parley.chat.v1.Event" };
  const [first, second, third] = await ask(server.port, [service, service, event]);
  expect(fileNames(first).length).toBeGreaterThan(3);
  expect(fileNames(first)).toContain("parley/chat/v1/event.proto");
  expect(fileNames(second)).toEqual(["parley/chat/v1/chat_service.proto"]);
  expect(fileNames(third)).toEqual(["parley/chat/v1/event.proto"]);
  const [again] = await ask(server.port, [service]);
  expect(fileNames(again)).toEqual(fileNames(first));
});

test("answers above the rate wait, for all streams together", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ reflection: images, clock });
  const client = new ServerReflectionClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const call = client.serverReflectionInfo();
  let bytes = 0;
  let answers = 0;
  call.on("data", (response: ServerReflectionResponse) => {
    answers += 1;
    const answer = response.messageResponse;
    if (answer?.$case !== "fileDescriptorResponse") return;
    for (const file of answer.value.fileDescriptorProto) bytes += file.length;
  });
  call.on("error", () => undefined);
  const asked: Asked = { $case: "fileByFilename", value: "parley/chat/v1/introduction_service.proto" };
  for (let index = 0; index < 5_000; index++) call.write({ host: "", messageRequest: asked });
  let before = -1;
  await expect
    .poll(
      () => {
        const isStill = answers > 0 && answers === before;
        before = answers;
        return isStill;
      },
      { interval: 100 },
    )
    .toBe(true);
  const burst = answers;
  expect(burst).toBeLessThan(5_000);
  expect(bytes).toBeLessThan(4.2 * 1024 * 1024);
  clock.advance(1_000);
  await expect.poll(() => answers).toBeGreaterThan(burst);
  call.cancel();
});

test("of more than 1,000 calls that watch the health, the oldest ends", async () => {
  const health = new Health([]);
  await using listener = await listen({
    host: "127.0.0.1",
    port: 0,
    services: [health.service({ onError: (error) => expect.unreachable(String(error)) })],
    limits: { concurrentStreams: 2_000 },
  });
  const client = new HealthClient(`127.0.0.1:${listener.port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const watch = async () => {
    const call = client.watch({ service: "" });
    const ended = once(call, "error");
    await once(call, "data");
    return { call, ended };
  };
  const oldest = await watch();
  const others: (typeof oldest)[] = [];
  // Few at a time, because the number of unfinished requests is limited, too.
  while (others.length < 1_000) others.push(...(await Promise.all(Array.from({ length: 100 }, watch))));
  const [error] = (await oldest.ended) as [ServiceError];
  expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
  health.stop();
  await Promise.all(others.map(({ call }) => once(call, "end")));
});

test("of more than 1,000 streams of reflection, the oldest ends", async () => {
  const options = { images, services: [], onError: (error: unknown) => expect.unreachable(String(error)) };
  await using listener = await listen({
    host: "127.0.0.1",
    port: 0,
    services: reflectionServices(options),
    limits: { concurrentStreams: 2_000 },
  });
  const client = new ServerReflectionClient(`127.0.0.1:${listener.port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const open = async () => {
    const call = client.serverReflectionInfo();
    const ended = once(call, "error");
    call.write({ host: "", messageRequest: { $case: "listServices", value: "" } });
    await once(call, "data");
    return { call, ended };
  };
  const oldest = await open();
  for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 100 }, open));
  const [error] = (await oldest.ended) as [ServiceError];
  expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
});

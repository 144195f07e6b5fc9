// Promise 6: the memory for each session is bounded, whatever its client does.
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { ConnectRequest, ConnectResponse } from "../../gen/parley/chat/v1/chat_service.ts";
import { ListMessagesRequest } from "../../gen/parley/chat/v1/history_service.ts";
import { bareSession, framed } from "../rpc/fixture.ts";
import type { TestStream } from "../support/client.ts";
import { ServerProcess } from "../support/server-process.ts";

const MiB = 1024 * 1024;
/** Allowance for garbage that is not collected yet, and for the caches of the store, bytes. */
const SLACK = 120 * MiB;

test("clients that never read cost the server at most their outboxes", { timeout: 60_000 }, async () => {
  const readers = 24;
  await using server = await ServerProcess.start(["leia", "han"], "--call-rate", "1000000");
  using leia = await server.logIn("leia");
  const hans = await Promise.all(Array.from({ length: readers / 4 }, () => server.logIn("han")));
  const streams: TestStream[] = [];
  for (const han of hans)
    for (let index = 0; index < 4; index++) streams.push(await han.connect().caughtUp());
  for (const stream of streams) stream.call.pause();
  using sending = await leia.connect().caughtUp();
  const before = await server.residentBytes();
  // 32 MiB for each of them: without a bound 768 MiB would be queued.
  const text = "x".repeat(16 * 1024);
  for (let index = 0; index < 2_000; index++) sending.send("han", text);
  for (let index = 0; index < 2_000; index++) await sending.next("ack");
  expect((await server.residentBytes()) - before).toBeLessThan(readers * 2 * MiB + SLACK);
  for (const stream of streams) stream[Symbol.dispose]();
  for (const han of hans) han[Symbol.dispose]();
});

test("the server stops reading from a client that never reads the answers", { timeout: 60_000 }, async () => {
  await using server = await ServerProcess.start(["leia", "han"], "--call-rate", "1000000");
  using leia = await server.logIn("leia");
  using stream = await leia.connect().caughtUp();
  stream.call.pause();
  const before = await server.residentBytes();
  const call = stream.call as ClientDuplexStream<ConnectRequest, ConnectResponse>;
  // Each of the 400 commands of a frame is refused with an answer, until the server's flow-control window is full.
  const frame: ConnectRequest = { commands: Array.from({ length: 400 }, () => ({ kind: undefined })) };
  let written = 0;
  const blocked = await new Promise<boolean>((resolve) => {
    const write = (): void => {
      const timer = setTimeout(() => resolve(true), 2_000);
      call.write(frame, () => {
        clearTimeout(timer);
        if (++written < 20_000) setImmediate(write);
        else resolve(false);
      });
    };
    write();
  });
  expect(blocked).toBe(true);
  expect((await server.residentBytes()) - before).toBeLessThan(SLACK);
});

test("pages of history that a client never takes cost the server at most the bound of its session", {
  timeout: 60_000,
}, async () => {
  await using server = await ServerProcess.start(["leia", "han"]);
  using leia = await server.logIn("leia");
  for (let index = 0; index < 100; index++) await leia.send("han", "x".repeat(32_000));
  const before = await server.residentBytes();
  const request = ListMessagesRequest.encode({
    ...ListMessagesRequest.decode(new Uint8Array()),
    target: { target: { $case: "username", value: "han" } },
    pageSize: 500,
  }).finish();
  // 400 pages of 512 KiB: without a bound 200 MiB would be queued, several times over while they are prepared.
  const sessions = await Promise.all(
    Array.from({ length: 40 }, () =>
      bareSession(`http://127.0.0.1:${server.port}`, { settings: { initialWindowSize: 0 } }),
    ),
  );
  for (const bare of sessions) {
    for (let index = 0; index < 10; index++) {
      bare
        .call("", {
          ":path": "/parley.chat.v1.HistoryService/ListMessages",
          authorization: `Bearer ${leia.grant?.token ?? ""}`,
        })
        .end(framed(request));
    }
  }
  // The pages of another user do not wait for them.
  using han = await server.logIn("han");
  for (let index = 0; index < 20; index++) expect((await han.textsWith("leia")).length).toBeGreaterThan(10);
  expect((await server.residentBytes()) - before).toBeLessThan(SLACK);
  for (const bare of sessions) bare[Symbol.dispose]();
});

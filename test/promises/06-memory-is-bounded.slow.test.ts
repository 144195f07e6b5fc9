// Promise 6: the memory for each session is bounded, whatever its client does.
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { ConnectRequest, ConnectResponse } from "../../gen/parley/chat/v1/chat_service.ts";
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

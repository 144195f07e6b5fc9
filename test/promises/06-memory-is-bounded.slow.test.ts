// Promise 6: memory per session is bounded, whatever its peer does.
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { ConnectRequest, ConnectResponse } from "../../gen/parley/chat/v1/chat_service.ts";
import type { TestStream } from "../support/client.ts";
import { ServerProcess } from "../support/server-process.ts";

const MiB = 1024 * 1024;
/** What garbage that was not collected yet and the store's caches may take on top, whatever the load. */
const SLACK = 120 * MiB;

test("readers that never read cost the server no more than their outboxes", { timeout: 60_000 }, async () => {
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
  // 32 MiB to each of them: without a bound 768 MiB would wait.
  const text = "x".repeat(16 * 1024);
  for (let index = 0; index < 2_000; index++) sending.send("han", text);
  for (let index = 0; index < 2_000; index++) await sending.next("ack");
  expect((await server.residentBytes()) - before).toBeLessThan(readers * 2 * MiB + SLACK);
  for (const stream of streams) stream[Symbol.dispose]();
  for (const han of hans) han[Symbol.dispose]();
});

test("a sender that never reads its acks is no longer read", { timeout: 60_000 }, async () => {
  await using server = await ServerProcess.start(["leia", "han"], "--call-rate", "1000000");
  using leia = await server.logIn("leia");
  using stream = await leia.connect().caughtUp();
  stream.call.pause();
  const before = await server.residentBytes();
  const call = stream.call as ClientDuplexStream<ConnectRequest, ConnectResponse>;
  // Refused and answered each: 400 commands a frame, until the server's window closes.
  const frame: ConnectRequest = { commands: Array.from({ length: 400 }, () => ({ kind: undefined })) };
  let taken = 0;
  const blocked = await new Promise<boolean>((resolve) => {
    const write = (): void => {
      const timer = setTimeout(() => resolve(true), 2_000);
      call.write(frame, () => {
        clearTimeout(timer);
        if (++taken < 20_000) setImmediate(write);
        else resolve(false);
      });
    };
    write();
  });
  expect(blocked).toBe(true);
  expect((await server.residentBytes()) - before).toBeLessThan(SLACK);
});

// The queue of entered lines: they run one after the other, a refusal does not stop it, and a fault does.
import { status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { refuse } from "../../../client/cli/chat/command/chat-command.ts";
import { SerialQueue } from "../../../client/cli/chat/input/serial-queue.ts";
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";

function turns(options: { most?: number; after?: Promise<void> } = {}) {
  const refused: string[] = [];
  const fault = Promise.withResolvers<unknown>();
  const taken = new SerialQueue({
    after: options.after ?? Promise.resolve(),
    most: options.most ?? 10,
    refused: ({ message }) => refused.push(message),
    failed: fault.resolve,
  });
  const done = async (): Promise<void> => {
    const ran = Promise.withResolvers<void>();
    taken.add(async () => ran.resolve());
    await ran.promise;
  };
  return { turns: taken, refused, fault: fault.promise, done };
}

it.each([
  refuse("No private chat with vader is open."),
  new RpcError({ code: status.NOT_FOUND, reason: "USER_NOT_FOUND", message: "There is no such user." }),
  new ConnectError({ kind: "unreachable", message: "Nobody is there." }),
])("a refusal is reported, and the next work runs: %s", async (error) => {
  const fixture = turns();
  fixture.turns.add(() => Promise.reject(error));
  await fixture.done();
  expect(fixture.refused).toEqual([error.message]);
});

it("after a fault of the program nothing runs any more", async () => {
  const fixture = turns();
  const fault = new TypeError("undefined is not a function");
  let ran = false;
  fixture.turns.add(() => Promise.reject(fault));
  fixture.turns.add(async () => {
    ran = true;
  });
  expect(await fixture.fault).toBe(fault);
  expect([fixture.refused, ran]).toEqual([[], false]);
});

it("works run in order after the first promise, and no more than `most` may wait", async () => {
  const first = Promise.withResolvers<void>();
  const fixture = turns({ most: 2, after: first.promise });
  const both = Promise.withResolvers<void>();
  const ran: string[] = [];
  const run = (name: string): boolean =>
    fixture.turns.add(async () => {
      if (ran.push(name) === 2) both.resolve();
    });
  expect([run("one"), run("two"), run("three")]).toEqual([true, true, false]);
  expect(ran).toEqual([]);
  first.resolve();
  await both.promise;
  await fixture.done();
  expect(ran).toEqual(["one", "two"]);
});

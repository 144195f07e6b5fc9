// Connections of an introduced peer that are closed after some seconds.
import { afterEach, beforeEach, expect, test } from "vitest";
import { Device } from "./device.ts";
import { connect, PeerConnection } from "./peer-connection.ts";

let yoda: Device;
let mallory: Device;
beforeEach(async () => {
  [yoda, mallory] = [await Device.make(), await Device.make()];
});
afterEach(async () => {
  expect(yoda.errors).toEqual([]);
  await yoda[Symbol.asyncDispose]();
  await mallory[Symbol.asyncDispose]();
});

test("a connection is closed when its introduction expires", async () => {
  yoda.expect(mallory, { lifetimeMs: 2_000 });
  const connection = await PeerConnection.of(yoda, mallory);
  await connection.closed;
});

test("connections that the peer does not close are cut after a time", async () => {
  const { withdraw } = yoda.expect(mallory);
  for (let count = 0; count < 8; count++) (await connect(yoda, mallory)).pause();
  withdraw();
  yoda.expect(mallory);
  await expect(PeerConnection.of(yoda, mallory)).rejects.toThrow();
  await expect
    .poll(
      () =>
        PeerConnection.of(yoda, mallory).then(
          () => "in",
          () => "out",
        ),
      { timeout: 30_000 },
    )
    .toBe("in");
});

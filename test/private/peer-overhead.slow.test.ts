// A peer whose connection carries mostly frames without content is disconnected within a few real seconds.
import { expect, test } from "vitest";
import { dialPeerAt } from "../../rpc/peers/peer-dial.ts";
import { delay } from "../../time/wait.ts";
import { Device } from "../client/peer/device.ts";
import { frame, greeted } from "../rpc/raw-http2.ts";

const WINDOW_UPDATE = frame(8, 0, 0, Buffer.from([0, 0, 0, 1]));

test("a flood of WINDOW_UPDATE closes the connection before the keepalive does", async () => {
  await using yoda = await Device.make();
  await using mallory = await Device.make();
  yoda.expect(mallory);
  const options = { own: mallory.own, peer: yoda.fingerprint, timeoutMs: 5_000 };
  const socket = await greeted(await dialPeerAt([yoda.address], options));
  socket.on("error", () => undefined);
  const flood = Buffer.concat(Array.from({ length: 10_000 }, () => WINDOW_UPDATE));
  const closed = new Promise((resolve) => socket.once("close", () => resolve("closed")));
  const flooding = setInterval(() => socket.write(flood), 50);
  try {
    expect(await Promise.race([closed, delay(10_000)])).toBe("closed");
  } finally {
    clearInterval(flooding);
    socket.destroy();
  }
});

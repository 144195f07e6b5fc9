// Memory after cancelled streams. It turns on the garbage collector's own function, for the whole process.
import { once } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { Outbox } from "../../rpc/calls/outbox.ts";
import { eventually } from "../support/eventually.ts";
import { bareSession, serve } from "./fixture.ts";

test("a cancelled stream leaves no outbox in memory", async () => {
  const outboxes: WeakRef<Outbox>[] = [];
  let ended = 0;
  await using server = await serve({
    connect: async (frames, out, { signal }) => {
      outboxes.push(new WeakRef(out));
      out.push(Buffer.alloc(100_000));
      await frames.next();
      if (!signal.aborted) await once(signal, "abort");
      ended += 1;
    },
  });
  using session = await bareSession(`http://${server.address}`);
  for (let index = 0; index < 50; index++) {
    const stream = session.call("Connect");
    await once(stream, "response");
    stream.close();
  }
  await eventually(() => expect(ended).toBe(50));
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  await eventually(() => {
    collect();
    expect(outboxes.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(5);
  });
  expect(server.listener.connections).toBe(1);
});

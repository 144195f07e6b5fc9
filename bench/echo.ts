// The baseline: a bare grpc-js bidirectional echo with one item in each message.
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { type Load, type Measured, measure, ServerProcess } from "./measure.ts";

export const ECHO_PATH = "/bench.Echo/Echo";
const asIs = (bytes: Buffer): Buffer => bytes;

export async function measureEcho(load: Load): Promise<Measured> {
  await using server = await ServerProcess.start(new URL("./echo-server.ts", import.meta.url));
  const item = Buffer.alloc(64, "x");
  let echoed = 0;
  const clients = Array.from({ length: load.pairs }, () => {
    const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    const call = client.makeBidiStreamRequest(ECHO_PATH, asIs, asIs, new Metadata());
    call.on("data", () => {
      echoed++;
      call.write(item);
    });
    call.on("error", () => {});
    for (let index = 0; index < load.inFlight; index++) call.write(item);
    return { client, call };
  });
  try {
    return await measure(server, load, () => echoed);
  } finally {
    for (const { client, call } of clients) {
      call.cancel();
      client.close();
    }
  }
}

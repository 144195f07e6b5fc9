// Offers the schema and the health of the peer server on this machine, for debugging: reflection and health checks, no
// chat.

import { readFileSync } from "node:fs";
import { packageFile } from "../../../command-line/package-files.ts";
import { type Listener, listen } from "../../../rpc/listening/listen.ts";
import { Health } from "../../../rpc/schema/health.ts";
import { reflectionServices } from "../../../rpc/schema/reflection.ts";

const PEER = "parley.peer.v1.PeerService";

/** Listens on a free port of the loopback address. @param notice called with a command that uses the port */
export async function openPeerDebug(notice: (sentence: string) => void): Promise<Listener> {
  const images = ["parley", "health", "reflection"].map((name) =>
    readFileSync(packageFile(`gen/${name}.binpb`)),
  );
  const onError = (error: unknown, method: string): void =>
    notice(`${method} failed: ${error instanceof Error ? error.message : String(error)}`);
  const listener = await listen({
    host: "127.0.0.1",
    port: 0,
    services: [
      new Health([PEER]).service({ onError }),
      ...reflectionServices({ onError, images, services: [PEER, "grpc.health.v1.Health"] }),
    ],
  });
  notice(`The peer server's schema: grpcurl -plaintext 127.0.0.1:${listener.port} describe ${PEER}`);
  return listener;
}

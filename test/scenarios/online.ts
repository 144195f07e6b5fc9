// Somebody who is here: logged in, with a stream that has caught up.
import type { DeviceKey } from "../../gen/parley/chat/v1/auth_service.ts";
import { TestClient, type TestStream } from "../support/client.ts";
import { passwordOf, type TestServer } from "../support/server.ts";
import { Wire } from "./wire.ts";

export interface Online {
  readonly client: TestClient;
  readonly stream: TestStream;
}

export async function online(server: TestServer, name: string, device?: DeviceKey): Promise<Online> {
  const client = await server.logIn(name, device);
  return { client, stream: await client.connect().caughtUp() };
}

/**
 * Somebody whose connection can be lost: dispose of the wire, and its sockets are gone. To close a client is another
 * thing: its open streams go on.
 */
export async function onlineByWire(
  server: TestServer,
  name: string,
): Promise<Online & { readonly wire: Wire }> {
  const wire = await Wire.to(server.port);
  const client = new TestClient(wire.port);
  await client.logIn(name, passwordOf(name));
  return { client, stream: await client.connect().caughtUp(), wire };
}

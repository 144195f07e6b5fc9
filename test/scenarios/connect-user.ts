// Logs a user in and opens a Connect stream.
import type { DeviceKey } from "../../gen/parley/chat/v1/auth_service.ts";
import type { TestClient, TestStream } from "../support/client.ts";
import type { TestServer } from "../support/server.ts";

export interface Online {
  readonly client: TestClient;
  readonly stream: TestStream;
}

/** Resolves when the stream has caught up. */
export async function connectUser(server: TestServer, name: string, device?: DeviceKey): Promise<Online> {
  const client = await server.logIn(name, device);
  return { client, stream: await client.connect().caughtUp() };
}

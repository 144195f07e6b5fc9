// The presence events that a stream has received.
import type { TestStream } from "../support/client.ts";

/** Resolves when an event, after those taken before, reports that the user came online. */
export async function waitUntilOnline(stream: TestStream, username: string): Promise<void> {
  await stream.next("presenceChanged", ({ cameOnline }) =>
    cameOnline.some((user) => user.username === username),
  );
}

/** Resolves when an event, after those taken before, reports that the user went offline. */
export async function waitUntilOffline(stream: TestStream, username: string): Promise<void> {
  await stream.next("presenceChanged", ({ wentOffline }) =>
    wentOffline.some((user) => user.username === username),
  );
}

/** All changes of this user that the stream has received so far, in order. */
export function presenceEventsOf(stream: TestStream, username: string): ("online" | "offline")[] {
  return stream
    .all("presenceChanged")
    .flatMap(({ cameOnline, wentOffline }) => [
      ...cameOnline.filter((user) => user.username === username).map(() => "online" as const),
      ...wentOffline.filter((user) => user.username === username).map(() => "offline" as const),
    ]);
}

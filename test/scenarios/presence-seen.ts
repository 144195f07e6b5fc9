// What a stream has been told of who comes and goes.
import type { TestStream } from "../support/client.ts";

/** Resolves when the stream is told that this user came online, after what was taken from it before. */
export async function comes(stream: TestStream, username: string): Promise<void> {
  await stream.next("presenceChanged", ({ cameOnline }) =>
    cameOnline.some((one) => one.username === username),
  );
}

/** Resolves when the stream is told that this user is gone. */
export async function goes(stream: TestStream, username: string): Promise<void> {
  await stream.next("presenceChanged", ({ wentOffline }) =>
    wentOffline.some((one) => one.username === username),
  );
}

/** All that the stream was told of this user so far, in order. */
export function toldOf(stream: TestStream, username: string): ("in" | "out")[] {
  return stream
    .all("presenceChanged")
    .flatMap(({ cameOnline, wentOffline }) => [
      ...cameOnline.filter((one) => one.username === username).map(() => "in" as const),
      ...wentOffline.filter((one) => one.username === username).map(() => "out" as const),
    ]);
}

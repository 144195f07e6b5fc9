// What a stream has been told of who comes and goes.
import type { Stream } from "./stream.ts";

/** Resolves when the stream is told that a user came online. @throws Failure */
export async function comes(stream: Stream, username: string): Promise<void> {
  const named = ({ cameOnline }: { cameOnline: { username: string }[] }): boolean =>
    cameOnline.some((one) => one.username === username);
  await stream.next("presenceChanged", named, `PresenceChanged.came_online with ${username}`);
}

/** Resolves when the stream is told that a user is gone. @throws Failure */
export async function goes(stream: Stream, username: string): Promise<void> {
  const named = ({ wentOffline }: { wentOffline: { username: string }[] }): boolean =>
    wentOffline.some((one) => one.username === username);
  await stream.next("presenceChanged", named, `PresenceChanged.went_offline with ${username}`);
}

/** All that the stream was told of a user so far, in order. */
export function toldOf(stream: Stream, username: string): ("in" | "out")[] {
  const isThis = (one: { username: string }): boolean => one.username === username;
  return stream
    .all("presenceChanged")
    .flatMap(({ cameOnline, wentOffline }) => [
      ...cameOnline.filter(isThis).map(() => "in" as const),
      ...wentOffline.filter(isThis).map(() => "out" as const),
    ]);
}

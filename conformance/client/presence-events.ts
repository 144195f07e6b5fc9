// Waits for the presence events of a stream, and lists them.
import type { Stream } from "./stream.ts";

/** Resolves when the stream receives that a user came online. @throws Failure */
export async function seenOnline(stream: Stream, username: string): Promise<void> {
  const named = ({ cameOnline }: { cameOnline: { username: string }[] }): boolean =>
    cameOnline.some((one) => one.username === username);
  await stream.next("presenceChanged", named, `PresenceChanged.came_online with ${username}`);
}

/** Resolves when the stream receives that a user went offline. @throws Failure */
export async function seenOffline(stream: Stream, username: string): Promise<void> {
  const named = ({ wentOffline }: { wentOffline: { username: string }[] }): boolean =>
    wentOffline.some((one) => one.username === username);
  await stream.next("presenceChanged", named, `PresenceChanged.went_offline with ${username}`);
}

/** The presence changes of a user that the stream has received so far, in order. */
export function presenceOf(stream: Stream, username: string): ("online" | "offline")[] {
  const isThis = (one: { username: string }): boolean => one.username === username;
  return stream
    .all("presenceChanged")
    .flatMap(({ cameOnline, wentOffline }) => [
      ...cameOnline.filter(isThis).map(() => "online" as const),
      ...wentOffline.filter(isThis).map(() => "offline" as const),
    ]);
}

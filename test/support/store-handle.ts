// Makes one store look like the stores of several processes on one database: each handle announces the commits of the others
// only when it is asked to look, and holds its reads until it has announced what they saw.
import { LogFollower, READ_BYTES, READ_ENTRIES } from "../../server/store/log-follower.ts";
import type { LogStore, Store } from "../../server/store/store.ts";

/** @param close whether disposing of the handle closes the store */
export async function storeHandle(store: Store, { close }: { close: boolean }): Promise<Store> {
  const { log } = store;
  /** Tells the entries of this handle from those of others, and their positions. */
  const ownContents = new WeakSet<Uint8Array>();
  const ownPositions = new Set<number>();
  /** The position up to which the store has announced its log. */
  const end = await log.follow(({ from, entries }) => {
    for (const [index, { content }] of entries.entries()) {
      if (ownContents.has(content)) ownPositions.add(from + index);
    }
  });
  const since: LogStore["since"] = async (...range) => {
    const group = await log.since(...range);
    return (
      group && {
        ...group,
        entries: group.entries.map((entry, index) => ({
          ...entry,
          isOwn: ownPositions.has(group.from + index),
        })),
      }
    );
  };
  const followers = new Set<LogFollower>();
  const announced = async (): Promise<void> => {
    for (const follower of followers) if (follower.position < end.position) await follower.look();
  };
  const held =
    <A extends unknown[], R>(read: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const value = await read(...args);
      await announced();
      return value;
    };
  const append = held(log.append);
  const own: LogStore = {
    append: (entry) => {
      const content = entry.content.slice();
      ownContents.add(content);
      return append({ ...entry, content });
    },
    follow: (follower) => {
      const read = (position: number) => since(position, READ_ENTRIES, READ_BYTES);
      const following = new LogFollower(end.position, read, follower, () => followers.delete(following));
      followers.add(following);
      return Promise.resolve(following);
    },
    since: held(since),
    raiseMarkers: held(log.raiseMarkers),
    conversations: held(log.conversations),
    conversation: held(log.conversation),
    heads: held(log.heads),
    directConversation: held(log.directConversation),
    seqAt: held(log.seqAt),
    entries: held(log.entries),
    visibleRanges: held(log.visibleRanges),
  };
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "log") return own;
      if (name === Symbol.asyncDispose && !close) return () => Promise.resolve(end[Symbol.dispose]());
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

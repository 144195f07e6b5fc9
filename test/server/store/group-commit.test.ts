// How writes are grouped, and in which order their outcome is reported. The test takes the part of the threads.
import { describe, expect, it } from "vitest";
import { notHidden } from "../../../server/store/sqlite/operations/log/append.ts";
import { type Group, ResultWriter, unpackAppends } from "../../../server/store/sqlite/threads/group.ts";
import { GroupCommit } from "../../../server/store/sqlite/threads/group-commit.ts";
import { HeldReads } from "../../../server/store/sqlite/threads/held-reads.ts";
import { entry } from "../../contract/store-fixture.ts";

/** A GroupCommit that sends its groups to the test. */
function fixture(limits = { count: 10, bytes: 1_000 }) {
  const groups: Group[] = [];
  const announced: number[] = [];
  let arrived = Promise.withResolvers<Group>();
  const commit = new GroupCommit(
    limits,
    0,
    (group) => {
      groups.push(group);
      arrived.resolve(group);
      arrived = Promise.withResolvers();
    },
    (number) => announced.push(number),
  );
  return { commit, groups, announced, next: () => arrived.promise };
}

const nothing = () => Promise.resolve(undefined);

/** The writer's answer for a group whose appends are all stored. */
function stored(group: Group) {
  const appends = [...unpackAppends(group.appends)];
  const writer = new ResultWriter(appends.length);
  const conversation = { conversationId: 3, kind: "direct" as const, low: 1, high: 2, headSeq: 0 };
  for (const [i, append] of appends.entries()) {
    writer.add(append.senderId, {
      status: "stored",
      conversation,
      seq: i + 1,
      time: append.time,
      ...notHidden,
    });
  }
  const calls = group.calls.map((call) => ({ ok: true as const, value: call.name }));
  return {
    type: "committed" as const,
    number: 0,
    position: appends.length,
    results: { appends: writer.appends, calls, errors: [], hidden: writer.hidden },
  };
}

describe("a group", () => {
  it("contains the writes of one turn of the event loop, in the order of the calls, within its limits", async () => {
    const { commit, groups, next } = fixture({ count: 4, bytes: 100 });
    const write = (id: number, size: number) => commit.append(entry(1, id, { peerId: 2 }, "x".repeat(size)));
    const promises = [
      write(1, 10),
      commit.call({ area: "presence", name: "open", args: [1, 2] }),
      write(2, 500),
      write(3, 10),
      ...[4, 5, 6, 7, 8].map((id) => write(id, 1)),
    ];
    for (let i = 0; i < 4; i++) commit.settle(stored(groups[i] ?? (await next())));
    await Promise.all(promises);
    const ids = groups.map((group) =>
      [...unpackAppends(group.appends)].map((append) => append.clientMessageId),
    );
    expect(ids).toEqual([[1n], [2n], [3n, 4n, 5n, 6n], [7n, 8n]]);
    expect(groups[0]?.calls).toEqual([{ area: "presence", name: "open", args: [1, 2], before: 1 }]);
  });

  it("is sent only after the answer to the one before", async () => {
    const { commit, groups, next } = fixture();
    const first = commit.append(entry(1, 1, { peerId: 2 }));
    const group = await next();
    const second = commit.append(entry(1, 2, { peerId: 2 }));
    await new Promise(setImmediate);
    expect(groups).toHaveLength(1);
    // The next group is sent before the settled one is reported, so that the writer does not wait for that.
    const following = next();
    commit.settle(stored(group));
    expect(groups).toHaveLength(2);
    commit.settle(stored(await following));
    expect(await Promise.all([first, second])).toMatchObject([{ status: "stored" }, { status: "stored" }]);
  });

  it("is not sent immediately for patient writes alone, but includes them when another write follows", async () => {
    const { commit, groups, next } = fixture();
    const patient = commit.call({ area: "log", name: "raiseMarkers", args: [] }, true);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(groups).toHaveLength(0);
    const append = commit.append(entry(1, 1, { peerId: 2 }));
    const group = await next();
    expect(group.calls).toHaveLength(1);
    commit.settle(stored(group));
    expect(await patient).toBe("raiseMarkers");
    await append;
    const alone = commit.call({ area: "log", name: "raiseMarkers", args: [] }, true);
    commit.settle(stored(await next()));
    expect(await alone).toBe("raiseMarkers");
  });

  it("is announced, then released to reads, and then its promises resolve", async () => {
    const { commit, announced, next } = fixture();
    const order: string[] = [];
    commit.follow(({ entries }) => {
      order.push(`announced ${entries.length}, released ${announced.length}`);
    }, nothing);
    const append = commit
      .append(entry(1, 1, { peerId: 2 }))
      .then(() => order.push(`resolved, released ${announced.length}`));
    commit.settle(stored(await next()));
    await append;
    expect(order).toEqual(["announced 1, released 0", "resolved, released 1"]);
  });

  it("is not announced if it failed", async () => {
    const { commit, announced, next } = fixture();
    let isAnnounced = false;
    commit.follow(() => {
      isAnnounced = true;
    }, nothing);
    const append = expect(commit.append(entry(1, 1, { peerId: 2 }))).rejects.toThrow("disk is full");
    await next();
    commit.settle({ type: "failed", message: "disk is full" });
    await append;
    expect({ isAnnounced, announced }).toEqual({ isAnnounced: false, announced: [] });
  });
});

describe("a read", () => {
  it("that saw a group is held until that group is announced", async () => {
    const sent: number[] = [];
    const reads = new HeldReads(5, (id) => sent.push(id));
    const order: unknown[] = [];
    const results = ["seen 5", "seen 7", "seen 8", "seen 8 too"].map((value, i) => {
      const result = reads
        .call({ area: "log", name: "entries", args: [] })
        .then((answer) => order.push(answer));
      reads.settle(sent[i] ?? 0, { ok: true, group: Number(value.split(" ")[1]), value });
      return result;
    });
    await results[0];
    expect(order).toEqual(["seen 5"]);
    reads.release(6);
    await new Promise(setImmediate);
    expect(order).toEqual(["seen 5"]);
    reads.release(7);
    await results[1];
    expect(order).toEqual(["seen 5", "seen 7"]);
    reads.release(8);
    await Promise.all(results);
    expect(order).toEqual(["seen 5", "seen 7", "seen 8", "seen 8 too"]);
  });
});

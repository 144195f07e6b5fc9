// Measures how long the store takes to commit each entry.
import type { AppendResult, AppendTarget, LogStore } from "../store/store.ts";

export interface AppendMeasure {
  /** @param status the result, or "failed" if the store could not commit */
  readonly appended: (
    kind: "direct" | "broadcast",
    status: AppendResult["status"] | "failed",
    ms: number,
  ) => void;
}

/** The same log. The time of an append includes the wait for the group of commits before it. */
export function measuredLog(log: LogStore, broadcastId: number, measure: AppendMeasure): LogStore {
  const kindOf = (target: AppendTarget): "direct" | "broadcast" =>
    "conversationId" in target && target.conversationId === broadcastId ? "broadcast" : "direct";
  return {
    ...log,
    append: (entry) => {
      const start = performance.now();
      const done = (status: AppendResult["status"] | "failed"): void =>
        measure.appended(kindOf(entry.target), status, performance.now() - start);
      const appended = log.append(entry);
      // The caller handles the rejection of `appended`; this promise only observes it.
      appended.then(
        ({ status }) => done(status),
        () => done("failed"),
      );
      return appended;
    },
  };
}

// What every store promises for the leases of nodes. A node is a server process that works on this store.

export interface NodeStore {
  /**
   * Takes a lease until the time `until`, and ends the earlier leases of this node. Resolves with the epoch of the lease,
   * which is higher than every epoch before it. The clocks of the nodes must agree within a small part of a lease.
   */
  take(nodeId: string, time: number, until: number): Promise<number>;
  /**
   * Extends the lease, also if it was over. Resolves with false if it cannot be extended: it has ended, the node has
   * taken another one, or `PresenceStore.sweep` has removed it.
   */
  renew(epoch: number, time: number, until: number): Promise<boolean>;
  /** Ends the lease. `time` is the last time at which it was good. */
  end(epoch: number, time: number): Promise<void>;
}

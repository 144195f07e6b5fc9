// The two directions of a Converse call, as either end sees them.
import type { Signal } from "../../../gen/parley/peer/v1/peer_service.ts";
import type { RpcError } from "../../../rpc/status/status.ts";

/** The two directions of a Converse call, as one end sees them. */
export interface SignalStream {
  /** Sends an encoded Signal. */
  write(signal: Uint8Array): void;
  /** The outbox is above its soft limit: the peer does not read fast enough. */
  readonly isCongested: boolean;
  /** Resolves when the outbox is below its soft limit, or the stream has ended. */
  drained(): Promise<void>;
  /** The error of the connection below; undefined while it is open and after an orderly end. */
  readonly broken: Error | undefined;
  /** The frames of the peer. It ends when the peer half-closes, and throws RpcError if the call failed. */
  readonly signals: AsyncIterator<readonly Signal[], void>;
  /** Sends what was written, and half-closes the stream if this end can. */
  close(): Promise<void>;
  /** The peer ends the call. If this end cancelled it, the signals written last could be lost. */
  readonly peerEndsCall: boolean;
  /** Ends the call immediately. The peer receives `why` if this end is the server of the call. */
  abort(why?: RpcError): void;
}

// The two directions of a Converse call, as either end has them.
import type { Signal } from "../../../gen/parley/peer/v1/peer_service.ts";
import type { RpcError } from "../../../rpc/status/status.ts";

/** The two directions of a Converse call, seen from one end. */
export interface SignalStream {
  /** Sends an encoded Signal. */
  write(signal: Uint8Array): void;
  /** Too much waits to be taken by the other end. */
  readonly isCongested: boolean;
  /** Resolves when that is over, or nobody takes anything any more. */
  drained(): Promise<void>;
  /** What the connection below broke with; undefined while it stands, and where it ended in order. */
  readonly broken: Error | undefined;
  /** What comes. It ends when the other end has said all, and throws RpcError where the call failed. */
  readonly signals: AsyncIterator<readonly Signal[], void>;
  /** Sends what was written, and says that no more comes. */
  close(): Promise<void>;
  /** The other end ends the call: to hang up before would drop what was written last. */
  readonly endsThere: boolean;
  /** Ends it at once; `why` is told to the other end where there is one to tell. */
  abort(why?: RpcError): void;
}

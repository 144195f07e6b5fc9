// Sessions in the shape of the contract's messages, for the lists of a user and of an administrator.
import type { Session } from "../../gen/parley/chat/v1/auth_service.ts";
import type { ListedSession } from "../auth/sessions.ts";
import { formatId } from "../ids.ts";
import type { SessionRow } from "../store/store.ts";

/** @param asking the session that lists */
export function toSession(row: ListedSession, asking: SessionRow): Session {
  return {
    sessionId: formatId("session", row.sessionId),
    deviceId: formatId("device", row.deviceId),
    client: row.client,
    createTime: new Date(row.createTime),
    lastUsedTime: new Date(row.lastUsedTime),
    expireTime: new Date(row.expireTime),
    address: row.address,
    online: row.isConnected,
    current: row.sessionId === asking.sessionId,
  };
}

// Implements AuthService.ListDevices: pages of a user's devices.
import {
  Device,
  type ListDevicesRequest,
  type ListDevicesResponse,
} from "../../gen/parley/chat/v1/auth_service.ts";
import type { Clock } from "../../time/clock.ts";
import { formatId } from "../ids.ts";
import { limits } from "../limits.ts";
import type { AccountStore, DeviceRow, SessionRow } from "../store/store.ts";
import { PageTokens, pageOf, pageSize } from "./calls/paging.ts";

/** @throws Refusal PAGE_TOKEN_INVALID */
export async function listDevices(
  request: ListDevicesRequest,
  { user, deviceId }: SessionRow,
  accounts: AccountStore,
  clock: Clock,
): Promise<ListDevicesResponse> {
  const size = pageSize(request.pageSize, limits.pageDefault, limits.pageMost);
  const tokens = new PageTokens("ListDevices", user.userId);
  const before = tokens.readNumber(request.pageToken) ?? Number.MAX_SAFE_INTEGER;
  const rows = await accounts.listUserDevices(user.userId, before, size + 1, clock.now());
  const { items, next } = pageOf(rows, size, (row) => toDevice(row, deviceId), Device);
  return { devices: items, nextPageToken: next === undefined ? "" : tokens.make(String(next.deviceId)) };
}

function toDevice(row: DeviceRow, callingDevice: number): Device {
  return {
    deviceId: formatId("device", row.deviceId),
    deviceName: row.name,
    createTime: new Date(row.createTime),
    lastUsedTime: row.lastUsedTime === undefined ? undefined : new Date(row.lastUsedTime),
    sessions: row.sessions,
    hasCertificate: row.hasCertificate,
    current: row.deviceId === callingDevice,
  };
}

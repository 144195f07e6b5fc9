// Implements IdentityService with the rules of identities: identity keys and device certificates.
import {
  DeviceCertificate,
  IdentityServiceService,
  type ListDeviceKeysRequest,
  type ListDeviceKeysResponse,
} from "../../gen/parley/chat/v1/identity_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { implementService, type ServiceOptions } from "../../rpc/calls/handler.ts";
import type { Identities } from "../auth/identities.ts";
import { toDeviceCertificate, toIdentity } from "../auth/user-messages.ts";
import type { UserCache } from "../chat/user-cache.ts";
import { parseId } from "../ids.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { IdentityStore, UserRow } from "../store/store.ts";

import { type Gate, page } from "./calls/gate.ts";
import { PageTokens, pageOf, pageSize } from "./calls/paging.ts";
import { identityBounds } from "./calls/request-bounds.ts";

export interface IdentityServiceParts {
  readonly gate: Gate;
  readonly identities: Identities;
  readonly store: IdentityStore;
  readonly users: UserCache;
  readonly options: ServiceOptions;
}

/** The terms of calls that programs make without a command of their user. */
const byProgram = { isActivity: () => false };

export function identityService({ gate, identities, store, users, options }: IdentityServiceParts) {
  return implementService(
    IdentityServiceService,
    {
      registerDeviceKey: gate.forSession(async (request, { row }) => {
        const { identity, device } = await identities.register(row, request);
        return { identity: identity && toIdentity(identity), device: toDeviceCertificate(device) };
      }, byProgram),

      signDeviceKey: gate.forSession(async (request, { row }) => {
        const deviceId = parseId("device", request.deviceId);
        const device = await identities.sign(row.user.userId, deviceId, request.signature);
        return { device: toDeviceCertificate(device) };
      }, byProgram),

      listDeviceKeys: gate.forSession((request, { row }) => listDevices(request, row.user, store), {
        ...byProgram,
        ...page,
      }),

      getIdentity: gate.forSession(async ({ username }) => {
        const user = await users.byName(username);
        if (user === undefined) throw new Refusal(Reason.USER_NOT_FOUND, { field: "username" });
        const identity = await store.identity(user.userId);
        if (identity === undefined) throw new Refusal(Reason.IDENTITY_NOT_FOUND, { field: "username" });
        return { identity: toIdentity(identity) };
      }, byProgram),
    },
    { ...options, methodBounds: identityBounds },
  );
}

async function listDevices(
  request: ListDeviceKeysRequest,
  asking: UserRow,
  store: IdentityStore,
): Promise<ListDeviceKeysResponse> {
  const size = pageSize(request.pageSize, limits.pageDefault, limits.pageMost);
  const tokens = new PageTokens("ListDeviceKeys", asking.userId);
  const after = tokens.readNumber(request.pageToken) ?? 0;
  const rows = await store.listDevices(asking.userId, after, size + 1);
  const identity = await store.identity(asking.userId);
  const { items, next } = pageOf(rows, size, toDeviceCertificate, DeviceCertificate);
  return {
    devices: items,
    nextPageToken: next === undefined ? "" : tokens.make(String(next.deviceId)),
    identity: identity && toIdentity(identity),
  };
}

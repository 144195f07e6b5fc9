// Checks of sessions: the grant of a log-in, invalid tokens, and the end of a session.
import { randomUUID } from "node:crypto";
import { AuthServiceService } from "../../gen/parley/chat/v1/auth_service.ts";
import { ChatServiceService } from "../../gen/parley/chat/v1/chat_service.ts";
import { equal, isTrue, present } from "../client/expect.ts";
import { endedBy, refused } from "../client/reasons.ts";
import type { Check } from "./check.ts";

export const logInChecks: readonly Check[] = [
  {
    name: "log-in.grant",
    says: "a log-in gives a token and a new device; a log-in with that device is the same device, without a secret",
    contract: "auth_service.proto: Grant.device",
    run: async ({ ann, logIn }) => {
      const { grant } = await logIn("ann");
      const device = present("Grant.device", grant.device);
      isTrue("Grant.token", sized(grant.token, 64), "1 to 64 bytes", grant.token.length);
      isTrue("DeviceKey.device_id", sized(device.deviceId, 32), "1 to 32 bytes", device.deviceId);
      isTrue("DeviceKey.device_secret", sized(device.deviceSecret, 64), "1 to 64 bytes", "another length");
      isTrue(
        "Grant.expire_time",
        (grant.expireTime?.getTime() ?? 0) > Date.now(),
        "a time in the future",
        grant.expireTime,
      );
      equal("Grant.user", grant.user, ann.grant.user);
      const again = await logIn("ann", device);
      equal("Grant.device of a known device", again.grant.device, { ...device, deviceSecret: "" });
      isTrue(
        "Grant.session_id",
        again.grant.sessionId !== grant.sessionId,
        "another session",
        "the same one",
      );
    },
  },
  {
    name: "log-in.wrong-password",
    says: "a wrong password and an unknown name are refused alike, and the right password is then accepted",
    contract: "reason.proto: REASON_CREDENTIALS_WRONG",
    run: async ({ ann, logIn, tryPassword }) => {
      // The name is new in each run, because wrong passwords for unknown names are counted too.
      const unknown = `kit-${randomUUID()}`;
      await refused("a wrong password", tryPassword(ann.username, "not the password"), "CREDENTIALS_WRONG");
      await refused("an unknown name", tryPassword(unknown, "not the password"), "CREDENTIALS_WRONG");
      await logIn("ann");
    },
  },
  {
    name: "log-in.token",
    says: "calls and streams without a token, or with a made-up one, are refused",
    contract: "reason.proto: REASON_TOKEN_MISSING",
    run: async ({ ann }) => {
      const activity = ChatServiceService.reportActivity;
      await refused("a call without a token", ann.callAs(undefined, activity, {}), "TOKEN_MISSING");
      await refused("a call with a made-up token", ann.callAs("made-up", activity, {}), "TOKEN_INVALID");
      const [without, madeUp] = [ann.openAs(undefined), ann.openAs("made-up")];
      await endedBy("a stream without a token", without, "TOKEN_MISSING");
      await endedBy("a stream with a made-up token", madeUp, "TOKEN_INVALID");
      equal("events without a token", [...without.events, ...madeUp.events], []);
    },
  },
  {
    name: "log-in.log-out",
    says: "a log-out ends the streams of its session, and its token becomes invalid",
    contract: "auth_service.proto: AuthService.LogOut",
    run: async ({ logIn }) => {
      const session = await logIn("ann");
      const stream = await session.connect();
      await session.logOut();
      await endedBy("the stream of a session that logs out", stream, "SESSION_ENDED");
      await refused(
        "the token after the log-out",
        session.call(ChatServiceService.reportActivity, {}),
        "TOKEN_INVALID",
      );
    },
  },
  {
    name: "log-in.devices",
    says: "a device is listed until it is removed; then its sessions end, and it cannot be used to log in",
    contract: "auth_service.proto: AuthService.RemoveDevice",
    run: async ({ ann, logIn }) => {
      const session = await logIn("ann");
      const device = present("Grant.device", session.grant.device);
      const stream = await session.connect();
      const listed = async () => {
        const request = { pageSize: 1, pageToken: "" };
        const { devices } = await ann.call(AuthServiceService.listDevices, request);
        return devices.map(({ deviceId, current }) => [deviceId, current]);
      };
      equal("the newest device", await listed(), [[device.deviceId, false]]);
      const { deviceId } = device;
      await ann.call(AuthServiceService.removeDevice, { deviceId });
      await endedBy("the stream of a device that is removed", stream, "SESSION_ENDED");
      session.hasEnded = true;
      isTrue("the devices", (await listed())[0]?.[0] !== deviceId, "another device", deviceId);
      await refused("a log-in with the removed device", logIn("ann", device), "DEVICE_INVALID");
      const again = ann.call(AuthServiceService.removeDevice, { deviceId });
      await refused("a second removal", again, "DEVICE_NOT_FOUND");
    },
  },
  {
    name: "log-in.delete-refused",
    says: "an account is not deleted with a wrong password",
    contract: "auth_service.proto: AuthService.DeleteAccount",
    run: async ({ logIn }) => {
      // A device of its own, since wrong passwords count for the device.
      const session = await logIn("cat");
      const remove = (password: string) => session.call(AuthServiceService.deleteAccount, { password });
      await refused("no password", remove(""), "INVALID_FIELD");
      await refused("a wrong password", remove("not the password"), "CREDENTIALS_WRONG");
      await session.call(ChatServiceService.reportActivity, {});
    },
  },
  {
    name: "log-in.revoke",
    says: "a session that the user revokes ends with its streams, and no other session ends",
    contract: "auth_service.proto: AuthService.RevokeSession",
    run: async ({ ann, logIn }) => {
      const other = await logIn("ann");
      const [stays, ends] = [await ann.connect(), await other.connect()];
      const { sessions } = await ann.call(AuthServiceService.listSessions, {
        pageSize: 1_000,
        pageToken: "",
      });
      const found = sessions.filter(({ sessionId }) => sessionId === other.grant.sessionId);
      equal(
        "ListSessions: online, current",
        found.map((one) => [one.online, one.current]),
        [[true, false]],
      );
      await ann.call(AuthServiceService.revokeSession, { sessionId: other.grant.sessionId });
      other.hasEnded = true;
      await endedBy("the stream of the revoked session", ends, "SESSION_ENDED");
      await stays.acked(ann.sendOn(stays, await logIn("ben"), ["still here"])[0] ?? 0n);
      await refused(
        "revoking it again",
        ann.call(AuthServiceService.revokeSession, { sessionId: other.grant.sessionId }),
        "SESSION_NOT_FOUND",
      );
    },
  },
];

function sized(text: string, most: number): boolean {
  return text !== "" && Buffer.byteLength(text) <= most;
}

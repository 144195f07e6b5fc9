// Checks of sessions: what a log-in gives, which tokens open nothing, and how a session ends.
import { randomUUID } from "node:crypto";
import { AuthServiceService } from "../../gen/parley/chat/v1/auth_service.ts";
import { ChatServiceService } from "../../gen/parley/chat/v1/chat_service.ts";
import { equal, holds, present } from "../client/expect.ts";
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
      holds("Grant.token", sized(grant.token, 64), "1 to 64 bytes", grant.token.length);
      holds("DeviceKey.device_id", sized(device.deviceId, 32), "1 to 32 bytes", device.deviceId);
      holds("DeviceKey.device_secret", sized(device.deviceSecret, 64), "1 to 64 bytes", "another length");
      holds(
        "Grant.expire_time",
        (grant.expireTime?.getTime() ?? 0) > Date.now(),
        "a time to come",
        grant.expireTime,
      );
      equal("Grant.user", grant.user, ann.grant.user);
      const again = await logIn("ann", device);
      equal("Grant.device of a known device", again.grant.device, { ...device, deviceSecret: "" });
      holds("Grant.session_id", again.grant.sessionId !== grant.sessionId, "another session", "the same one");
    },
  },
  {
    name: "log-in.wrong-password",
    says: "a wrong password and a name that nobody has are refused alike, and the right password then lets in",
    contract: "reason.proto: REASON_CREDENTIALS_WRONG",
    run: async ({ ann, logIn, tryPassword }) => {
      // Another one each time: of names that nobody has wrong passwords are counted as well.
      const nobody = `kit-${randomUUID()}`;
      await refused("a wrong password", tryPassword(ann.username, "not the password"), "CREDENTIALS_WRONG");
      await refused("an unknown name", tryPassword(nobody, "not the password"), "CREDENTIALS_WRONG");
      await logIn("ann");
    },
  },
  {
    name: "log-in.token",
    says: "without a token, or with a made-up one, neither a call nor a stream is let in",
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
    says: "a log-out ends the streams of its session, and its token opens nothing any more",
    contract: "auth_service.proto: AuthService.LogOut",
    run: async ({ logIn }) => {
      const session = await logIn("ann");
      const stream = await session.connect();
      await session.logOut();
      await endedBy("the stream of a session that logs out", stream, "SESSION_ENDED");
      await refused(
        "the token after it",
        session.call(ChatServiceService.reportActivity, {}),
        "TOKEN_INVALID",
      );
    },
  },
  {
    name: "log-in.revoke",
    says: "a session that another one of the user revokes ends with its streams, and no other session does",
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
      other.isOver = true;
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

// Faults of servers in log-ins, and in how a stream opens and closes.
import { status } from "@grpc/grpc-js";
import { LogInRequest, LogInResponse } from "../../../gen/parley/chat/v1/auth_service.ts";
import { answering, changed, type Fault, forgiving, hasReason, nothing, refusal } from "./fault.ts";

export const sessionFaults: readonly Fault[] = [
  {
    what: "returns the secret of a known device again",
    tampering: () => ({
      unary: answering({
        LogIn: changed(LogInResponse, ({ grant }) => ({
          grant: grant && {
            ...grant,
            device: grant.device && { ...grant.device, deviceSecret: grant.device.deviceSecret || "again" },
          },
        })),
      }),
    }),
    detectedBy: { "log-in.grant": /deviceSecret: 'again'/ },
  },
  {
    what: "reveals that a name is unknown",
    tampering: () => ({
      unary: answering({
        LogIn: async (call) => {
          if (!LogInRequest.decode(call.request).username.startsWith("kit-")) return call.forward();
          throw refusal({ code: status.NOT_FOUND, reason: "USER_NOT_FOUND", message: "Unknown." });
        },
      }),
    }),
    detectedBy: { "log-in.wrong-password": /an unknown name.*CREDENTIALS_WRONG.*USER_NOT_FOUND/ },
  },
  {
    what: "only says that it removes a device",
    tampering: () => ({ unary: answering({ RemoveDevice: nothing }) }),
    detectedBy: { "log-in.devices": /the stream of a device that is removed|its end/ },
  },
  {
    what: "accepts any password for the removal of an account",
    tampering: () => ({ unary: answering({ DeleteAccount: nothing }) }),
    detectedBy: { "log-in.delete-refused": /no password: INVALID_FIELD.*no refusal/ },
  },
  {
    what: "lets every user list invites",
    tampering: () => ({ unary: answering({ ListInvites: nothing }) }),
    detectedBy: { "admin.refused": /listInvites without a token: TOKEN_MISSING.*no refusal/ },
  },
  {
    what: "sets a new password with any secret",
    tampering: () => ({ unary: answering({ ResetPassword: nothing }) }),
    detectedBy: { "admin.reset-unknown": /a made-up secret: RESET_INVALID.*no refusal/ },
  },
  {
    what: "does not require a token",
    tampering: () => ({ unary: answering({ ReportActivity: nothing }) }),
    detectedBy: {
      "log-in.token": /without a token: TOKEN_MISSING.*no refusal/,
      "log-in.log-out": /the token after the log-out: TOKEN_INVALID.*no refusal/,
    },
  },
  {
    what: "keeps the streams of a session open after its log-out",
    tampering: () => ({ forwardsEnd: (error) => !hasReason(error, "SESSION_ENDED") }),
    detectedBy: {
      "log-in.log-out": /the stream of a session that logs out.*nothing within/,
      "log-in.revoke": /the stream of the revoked session.*nothing within/,
      "twins.same-endings": /the stream of a session that logs out.*nothing within/,
    },
  },
  {
    what: "revokes nothing",
    tampering: () => ({ unary: answering({ RevokeSession: nothing }) }),
    detectedBy: { "log-in.revoke": /the stream of the revoked session.*nothing within/ },
  },
  {
    what: "names another session in Welcome",
    tampering: () => ({
      down: () => (event) => {
        if (event.kind?.$case !== "welcome") return [event];
        return [{ kind: { ...event.kind, value: { ...event.kind.value, sessionId: "s0" } } }];
      },
    }),
    detectedBy: { "stream.welcome": /Welcome\.session_id: .*came s0/ },
  },
  {
    what: "sends Welcome twice",
    tampering: () => ({
      down: () => (event) => (event.kind?.$case === "welcome" ? [event, event] : [event]),
    }),
    detectedBy: { "stream.welcome": /further Welcomes/ },
  },
  {
    what: "does not require Hello",
    tampering: () => ({
      up: () => {
        let isFirst = true;
        return (_frame, commands) => {
          const value = { client: undefined, features: [], cursors: [], processId: "" };
          const missing = isFirst && (commands.length !== 1 || commands[0]?.kind?.$case !== "hello");
          isFirst = false;
          const rest = commands.filter(({ kind }) => kind !== undefined && kind.$case !== "hello");
          return missing ? [[{ kind: { $case: "hello", value } }], rest] : [commands];
        };
      },
    }),
    detectedBy: { "stream.hello-first": /first frame number 1.*nothing within/ },
  },
  {
    what: "ignores a second Hello",
    tampering: () => ({
      up: () => {
        let count = 0;
        return (frame, commands) => (commands[0]?.kind?.$case === "hello" && count++ > 0 ? [] : [frame]);
      },
    }),
    detectedBy: { "stream.hello-repeated": /two Hellos.*nothing within/ },
  },
  {
    what: "waits for Hello without a limit",
    tampering: () => ({ forwardsEnd: (error) => !hasReason(error, "HELLO_TIMEOUT") }),
    detectedBy: { "stream.hello-timeout": /without Hello.*nothing within/ },
    patienceMs: 6_000,
  },
  {
    what: "sends no retry delay",
    tampering: () => ({
      forwardsEnd: (error) => {
        if (!hasReason(error, "HELLO_TIMEOUT")) return true;
        Object.assign(
          error,
          refusal({ code: status.DEADLINE_EXCEEDED, reason: "HELLO_TIMEOUT", message: "Too late." }),
        );
        return true;
      },
    }),
    detectedBy: { "stream.hello-timeout": /a delay, came no delay/ },
    patienceMs: 6_000,
  },
  {
    what: "sends all families of events, also those not asked for",
    tampering: () => ({ hello: (hello) => ({ ...hello, features: [] }) }),
    detectedBy: { "stream.features": /Welcome\.features for TYPING/ },
  },
  {
    what: "sends no acks after the client's half-close",
    tampering: () => ({ down: () => (event) => (event.kind?.$case === "ack" ? [] : [event]) }),
    detectedBy: { "stream.close": /the acks/ },
  },
  {
    what: "gives all log-ins of a user the same device",
    tampering: () => {
      const known = new Map<string, string>();
      return {
        unary: answering({
          LogIn: async (call) => {
            const request = LogInRequest.decode(call.request);
            const device = known.get(request.username);
            const [deviceId = "", deviceSecret = ""] = device?.split(" ") ?? [];
            const bytes = await call.forward(
              device === undefined || request.device !== undefined
                ? call.request
                : LogInRequest.encode({ ...request, device: { deviceId, deviceSecret } }).finish(),
            );
            const given = LogInResponse.decode(bytes).grant?.device;
            if (given?.deviceSecret) known.set(request.username, `${given.deviceId} ${given.deviceSecret}`);
            return bytes;
          },
        }),
      };
    },
    detectedBy: { "once.per-device": /CLIENT_MESSAGE_ID_REUSED/ },
  },
  {
    what: "allows a session any number of streams",
    tampering: () => ({ forwardsEnd: (error) => !hasReason(error, "TOO_MANY_STREAMS") }),
    detectedBy: { "limits.streams": /one stream too many.*nothing within/ },
  },
  {
    what: "accepts a second revocation",
    tampering: () => ({ unary: answering({ RevokeSession: forgiving("SESSION_NOT_FOUND") }) }),
    detectedBy: { "log-in.revoke": /revoking it again: SESSION_NOT_FOUND.*no refusal/ },
  },
];

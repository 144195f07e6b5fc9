// Servers that are wrong about log-ins, and about how a stream opens and closes.
import { status } from "@grpc/grpc-js";
import { LogInRequest, LogInResponse } from "../../../gen/parley/chat/v1/auth_service.ts";
import { answering, type Break, changed, forgiving, hasReason, nothing, refusal } from "./break.ts";

export const sessionBreaks: readonly Break[] = [
  {
    what: "gives the secret of a known device again",
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
    noticedBy: { "log-in.grant": /deviceSecret: 'again'/ },
  },
  {
    what: "says that nobody has a name",
    tampering: () => ({
      unary: answering({
        LogIn: async (call) => {
          if (!LogInRequest.decode(call.request).username.startsWith("kit-")) return call.forward();
          throw refusal({ code: status.NOT_FOUND, reason: "USER_NOT_FOUND", message: "Nobody." });
        },
      }),
    }),
    noticedBy: { "log-in.wrong-password": /an unknown name.*CREDENTIALS_WRONG.*USER_NOT_FOUND/ },
  },
  {
    what: "asks for no token",
    tampering: () => ({ unary: answering({ ReportActivity: nothing }) }),
    noticedBy: {
      "log-in.token": /without a token: TOKEN_MISSING.*no refusal/,
      "log-in.log-out": /the token after it: TOKEN_INVALID.*no refusal/,
    },
  },
  {
    what: "lets the streams of a session live on after its log-out",
    tampering: () => ({ tellsOfEnd: (error) => !hasReason(error, "SESSION_ENDED") }),
    noticedBy: {
      "log-in.log-out": /the stream of a session that logs out.*nothing within/,
      "log-in.revoke": /the stream of the revoked session.*nothing within/,
      "twins.same-endings": /the stream of a session that logs out.*nothing within/,
    },
  },
  {
    what: "revokes nothing",
    tampering: () => ({ unary: answering({ RevokeSession: nothing }) }),
    noticedBy: { "log-in.revoke": /the stream of the revoked session.*nothing within/ },
  },
  {
    what: "takes another session for the one that asks",
    tampering: () => ({
      down: () => (event) => {
        if (event.kind?.$case !== "welcome") return [event];
        return [{ kind: { ...event.kind, value: { ...event.kind.value, sessionId: "s0" } } }];
      },
    }),
    noticedBy: { "stream.welcome": /Welcome\.session_id: .*came s0/ },
  },
  {
    what: "welcomes twice",
    tampering: () => ({
      down: () => (event) => (event.kind?.$case === "welcome" ? [event, event] : [event]),
    }),
    noticedBy: { "stream.welcome": /further Welcomes/ },
  },
  {
    what: "does without Hello",
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
    noticedBy: { "stream.hello-first": /first frame number 1.*nothing within/ },
  },
  {
    what: "hears only the first Hello",
    tampering: () => ({
      up: () => {
        let count = 0;
        return (frame, commands) => (commands[0]?.kind?.$case === "hello" && count++ > 0 ? [] : [frame]);
      },
    }),
    noticedBy: { "stream.hello-repeated": /two Hellos.*nothing within/ },
  },
  {
    what: "waits for Hello for ever",
    tampering: () => ({ tellsOfEnd: (error) => !hasReason(error, "HELLO_TIMEOUT") }),
    noticedBy: { "stream.hello-timeout": /without Hello.*nothing within/ },
    patienceMs: 6_000,
  },
  {
    what: "does not say when to come back",
    tampering: () => ({
      tellsOfEnd: (error) => {
        if (!hasReason(error, "HELLO_TIMEOUT")) return true;
        Object.assign(
          error,
          refusal({ code: status.DEADLINE_EXCEEDED, reason: "HELLO_TIMEOUT", message: "Too late." }),
        );
        return true;
      },
    }),
    noticedBy: { "stream.hello-timeout": /a delay, came no delay/ },
    patienceMs: 6_000,
  },
  {
    what: "sends all families of events, whatever is asked for",
    tampering: () => ({ hello: (hello) => ({ ...hello, features: [] }) }),
    noticedBy: { "stream.features": /Welcome\.features for TYPING/ },
  },
  {
    what: "answers nothing any more once the client has closed its side",
    tampering: () => ({ down: () => (event) => (event.kind?.$case === "ack" ? [] : [event]) }),
    noticedBy: { "stream.close": /what was acked/ },
  },
  {
    what: "lets log-ins in as one device",
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
    noticedBy: { "once.per-device": /CLIENT_MESSAGE_ID_REUSED/ },
  },
  {
    what: "lets a session hold any number of streams",
    tampering: () => ({ tellsOfEnd: (error) => !hasReason(error, "TOO_MANY_STREAMS") }),
    noticedBy: { "limits.streams": /one stream too many.*nothing within/ },
  },
  {
    what: "forgets who was revoked",
    tampering: () => ({ unary: answering({ RevokeSession: forgiving("SESSION_NOT_FOUND") }) }),
    noticedBy: { "log-in.revoke": /revoking it again: SESSION_NOT_FOUND.*no refusal/ },
  },
];

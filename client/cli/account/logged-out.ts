// Says to a person why a session has ended.
import type { RpcError } from "../../../rpc/status/status.ts";
import { sentence } from "../process/failure.ts";

/** @param cause the server's refusal of the session */
export function loggedOutWords({ reason, message }: RpcError): string {
  switch (reason) {
    case "SESSION_TIMED_OUT":
      return "You are logged out: you gave no command for too long.";
    case "SESSION_ENDED":
      return "You are logged out: this session was ended elsewhere, for example by a new log-in or password, by revoke, or by an administrator.";
    default:
      return sentence(`You are logged out: ${message}`);
  }
}

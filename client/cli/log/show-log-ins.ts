// Formats records of log-ins, one line each.
import { LogInOutcome, type LogInRecord } from "../../../gen/parley/chat/v1/auth_service.ts";
import { name, time } from "../command/show.ts";
import { line, Styled } from "../terminal/text/style.ts";

const outcomes: Readonly<Partial<Record<LogInOutcome, string>>> = {
  [LogInOutcome.LOGGED_IN]: "logged in",
  [LogInOutcome.WRONG_PASSWORD]: "wrong password",
  [LogInOutcome.LOCKED]: "wrong password, and locked",
  [LogInOutcome.REFUSED_LOCKED]: "refused: locked",
  [LogInOutcome.TOO_MANY_SESSIONS]: "refused: logged in elsewhere",
  [LogInOutcome.DEVICE_INVALID]: "refused: unknown device",
  [LogInOutcome.DISABLED]: "refused: disabled",
  [LogInOutcome.PASSWORD_RESET]: "set a new password",
};

/**
 * "2026-11-23 04:17:12  logged in  from 10.0.0.7, desk (d4), parley 0.1.0"; with the user's name for administrators.
 */
export function logInLine(record: LogInRecord, withName: boolean): Styled {
  const { client, deviceId, count } = record;
  const outcome = outcomes[record.outcome] ?? "refused";
  const times = count > 1 ? `, ${count} times since ${time(record.firstTime)}` : "";
  const device = [client?.deviceName || "unnamed device", deviceId === "" ? "" : `(${deviceId})`];
  const program = [client?.name, client?.version].filter(Boolean).join(" ");
  const where = [record.address || "unknown", device.filter(Boolean).join(" "), program].filter(Boolean);
  const who = withName ? line`${name(record.username)}  ` : Styled.empty;
  return line`${time(record.time)}  ${who}${outcome}${times}  from ${where.join(", ")}`;
}

// Formats sessions, one line each.
import type { Session } from "../../../gen/parley/chat/v1/auth_service.ts";
import { time } from "../command/show.ts";
import { line, type Styled } from "../terminal/text/style.ts";

export function sessionLine(session: Session): Styled {
  const { sessionId, client, current, online, createTime, lastUsedTime, address } = session;
  const program = [client?.name, client?.version].filter(Boolean).join(" ") || "unknown program";
  const device = client?.deviceName || "unnamed device";
  const use = online ? "online" : `last used ${time(lastUsedTime)}`;
  return line`${current ? "*" : " "} ${sessionId}  ${device}, ${program}, ${use}, logged in ${time(createTime)} from ${address || "unknown"}`;
}

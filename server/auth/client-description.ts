// Checks and cleans the description that a client sends of its program.
import type { ClientInfo } from "../../gen/parley/chat/v1/chat_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { ClientDescription } from "../store/store.ts";

/** Joiners occur in emoji and in the spelling of some scripts. The others could forge lines where the text is shown. */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** @param path of the message in the request, for the refusal. @throws Refusal INVALID_FIELD for a field that is too long */
export function describeClient(client: ClientInfo | undefined, path: string): ClientDescription {
  const description = {
    name: client?.name ?? "",
    version: client?.version ?? "",
    deviceName: client?.deviceName ?? "",
  };
  for (const [field, value] of Object.entries(description)) {
    if (Buffer.byteLength(value) > limits.clientFieldBytes) {
      throw new Refusal(Reason.INVALID_FIELD, {
        field: `${path}.${field === "deviceName" ? "device_name" : field}`,
        message: `At most ${limits.clientFieldBytes} bytes.`,
        facts: { maximum: limits.clientFieldBytes, unit: "bytes" },
      });
    }
  }
  const clean = (text: string): string => text.replace(UNSAFE, "\ufffd");
  return {
    name: clean(description.name),
    version: clean(description.version),
    deviceName: clean(description.deviceName),
  };
}

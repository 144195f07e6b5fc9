// Faults of servers in what they keep over a restart.
import { SendMessageRequest, SendMessageResponse } from "../../../gen/parley/chat/v1/chat_service.ts";
import { answering, type Fault } from "./fault.ts";

export const restartFaults: readonly Fault[] = [
  {
    what: "forgets at a restart which sends it has stored",
    tampering: (isRestarted) => {
      let next = 2_000_000n;
      return {
        unary: answering({
          SendMessage: async (call) => {
            if (!isRestarted()) return call.forward();
            const request = SendMessageRequest.decode(call.request);
            next++;
            const asNew = SendMessageRequest.encode({ ...request, clientMessageId: next }).finish();
            const { ack } = SendMessageResponse.decode(await call.forward(asNew));
            const { clientMessageId } = request;
            return SendMessageResponse.encode({ ack: ack && { ...ack, clientMessageId } }).finish();
          },
        }),
      };
    },
    detectedBy: {
      "restart.nothing-lost": /the answer to the repeat of an acked send/,
      "restart.goes-on": /a repeat: /,
    },
  },
  {
    what: "has another server id after a restart",
    tampering: (isRestarted) => ({
      down: () => (event) => {
        if (event.kind?.$case !== "welcome" || !isRestarted()) return [event];
        return [{ kind: { ...event.kind, value: { ...event.kind.value, serverId: "another" } } }];
      },
    }),
    detectedBy: { "restart.goes-on": /Welcome\.server_id: .*another/ },
  },
];

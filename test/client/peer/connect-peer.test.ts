// Connecting to a device that answers as a test wants.
import { expect, test } from "vitest";
import type { PrivateCalls } from "../../../client/link/server/private-chat-calls.ts";
import { connectPeer } from "../../../client/peer/path/connect-peer.ts";
import { PeerServiceService, Signal } from "../../../gen/parley/peer/v1/peer_service.ts";
import { implementService } from "../../../rpc/calls/handler.ts";
import { servePeers } from "../../../rpc/peers/peer-listener.ts";
import { lengthDelimited } from "../../../rpc/wire/raw-fields.ts";
import { Device, newId } from "./device.ts";

const opening = { introductionId: newId(), clientName: "", clientVersion: "" };
const noServer = {
  endpoint: { address: "127.0.0.1:12000", connect: () => Promise.reject(new Error("no server")) },
};

test.each([
  ["never answers", false],
  ["answers at the same moment", true],
])(
  "a request that is withdrawn while the other device %s does not open a chat",
  async (_what, answers) => {
    await using luke = await Device.make();
    await using yoda = await Device.make();
    const withdrawn = new AbortController();
    const service = implementService(
      PeerServiceService,
      {
        converse: async (frames, outbox) => {
          await frames.next();
          withdrawn.abort();
          const signal = Signal.encode({ kind: { $case: "opening", value: opening } }).finish();
          if (answers) outbox.push(lengthDelimited(1, signal));
          await frames.next();
        },
      },
      { onError: () => undefined },
    );
    await using listener = servePeers({ own: yoda.own, admit: () => [service] });
    const { port } = await listener.listen(["127.0.0.1"], 0);
    const connecting = connectPeer({
      calls: noServer as unknown as PrivateCalls,
      own: luke.own,
      introduction: {
        introductionId: opening.introductionId,
        peer: undefined,
        direct: true,
        addresses: [`127.0.0.1:${port}`],
        lifetime: undefined,
      },
      peer: yoda.fingerprint,
      opening,
      signal: withdrawn.signal,
    });
    await expect(connecting).rejects.toThrow();
  },
  5_000,
);

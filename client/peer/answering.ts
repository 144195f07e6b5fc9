// Answering one who asks for a private chat: no, or yes and then the wait for that one to come, straight or through the relay.
import { Answer, type Introduction } from "../../gen/parley/chat/v1/introduction_service.ts";
import { ConnectError } from "../../rpc/connect-error.ts";
import { ownAddresses } from "./addresses.ts";
import type { PeerKeys } from "./contacts.ts";
import type { SignalStream } from "./conversation.ts";
import { type Desk, millis } from "./desk.ts";
import type { Path } from "./reach.ts";
import { openRelay } from "./relay-stream.ts";

/** Says no, for all devices of the user or for this one. @throws RpcError, ConnectError */
export async function decline(desk: Desk, introductionId: string, answer: "refuse" | "pass"): Promise<void> {
  await desk.parts.calls.answerIntroduction({
    introductionId,
    answer: answer === "refuse" ? Answer.REFUSE : Answer.PASS,
    direct: false,
    addresses: [],
    port: 0,
  });
}

/**
 * Says yes. From then on the one who asked may come, once, while the introduction lasts.
 * @param converse has the conversation; it is over when that resolves
 * @throws RpcError, ConnectError
 */
export async function accept(
  desk: Desk,
  asked: { readonly introductionId: string; readonly peer: PeerKeys; readonly direct: boolean },
  converse: (stream: SignalStream, path: Path) => Promise<void>,
): Promise<void> {
  const { calls, server } = desk.parts;
  const port = asked.direct ? (server.port ?? 0) : 0;
  const introduction = await calls.answerIntroduction({
    introductionId: asked.introductionId,
    answer: Answer.ACCEPT,
    direct: port !== 0,
    addresses: port === 0 ? [] : ownAddresses(port),
    port,
  });
  if (introduction === undefined) throw new Error("The server's answer to a yes has no introduction.");
  expectPeer(desk, introduction, asked.peer, converse);
}

function expectPeer(
  desk: Desk,
  introduction: Introduction,
  { username, fingerprint }: PeerKeys,
  converse: (stream: SignalStream, path: Path) => Promise<void>,
): void {
  const { server, closing, emit } = desk.parts;
  const { introductionId } = introduction;
  const lifetimeMs = millis(introduction.lifetime);
  const relay = new AbortController();
  const lapse = setTimeout(() => {
    expected[Symbol.dispose]();
    relay.abort();
    if (closing.aborted) return;
    const error = new ConnectError({ kind: "timeout", message: `${username} did not come.` });
    void emit({ type: "failed", username, error, held: [] });
  }, lifetimeMs);
  const expected = server.expect({
    introductionId,
    fingerprint,
    lifetimeMs,
    opening: desk.opening(introduction),
    converse: async (stream, path) => {
      clearTimeout(lapse);
      // The half of the relay that waits is of no use any more.
      if (path === "direct") relay.abort();
      await converse(stream, path);
    },
  });
  closing.addEventListener("abort", () => clearTimeout(lapse), { once: true });
  const signal = AbortSignal.any([relay.signal, closing]);
  void openRelayHalf(desk, introductionId, lifetimeMs, signal);
}

/** Never rejects: the other one may come straight, and where nobody comes at all, that is told. */
async function openRelayHalf(
  desk: Desk,
  introductionId: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { calls, server } = desk.parts;
  try {
    const dialled = await calls.endpoint.connect();
    server.accept(await openRelay(dialled, { introductionId, token: calls.token, timeoutMs, signal }));
  } catch {
    // As said above.
  }
}

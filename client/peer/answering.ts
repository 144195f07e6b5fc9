// Answering one who asks for a private chat: no, or yes and then the wait for that one to come, straight or through the relay.
import { Answer, type Introduction } from "../../gen/parley/chat/v1/introduction_service.ts";
import { ConnectError } from "../../rpc/connect-error.ts";
import { ownAddresses } from "./addresses.ts";
import type { PeerKeys } from "./contacts.ts";
import type { SignalStream } from "./conversation.ts";
import { type Desk, millis } from "./desk.ts";
import type { Path } from "./reach.ts";
import { openRelay } from "./relay-stream.ts";

/** Longer than an answer may take and an introduction lasts, ms: the server's word then says how long exactly. */
const LONGEST_MS = 120_000;

/** One who asks. */
export interface Asked {
  readonly introductionId: string;
  readonly peer: PeerKeys;
  /** That one allows a direct path. */
  readonly direct: boolean;
}

export interface Accepting {
  /** Has the conversation; it is over when this resolves. */
  converse(stream: SignalStream, path: Path): Promise<void>;
  /** Nobody came. */
  lapsed(): void;
}

/** Says no, for all devices of the user or for this one. @throws RpcError, ConnectError */
export async function decline(
  desk: Desk,
  { introductionId }: Asked,
  answer: "refuse" | "pass",
): Promise<void> {
  const no = answer === "refuse" ? Answer.REFUSE : Answer.PASS;
  await desk.parts.calls.answerIntroduction({
    introductionId,
    answer: no,
    direct: false,
    addresses: [],
    port: 0,
  });
}

/**
 * Says yes. From then on the one who asked may come, once, while the introduction lasts.
 * @throws RpcError, ConnectError
 */
export async function accept(desk: Desk, asked: Asked, { converse, lapsed }: Accepting): Promise<void> {
  const { server } = desk.parts;
  const { introductionId, peer } = asked;
  const relay = new AbortController();
  let lapse: NodeJS.Timeout | undefined;
  const { closing, emit } = desk.parts;
  const settled = (): void => {
    clearTimeout(lapse);
    closing.removeEventListener("abort", settled);
  };
  // Before the answer: whoever asked may be faster than the way back of this one's own yes.
  const expected = server.expect({
    introductionId,
    fingerprint: peer.fingerprint,
    direct: asked.direct,
    lifetimeMs: LONGEST_MS,
    opening: desk.opening(introductionId),
    converse: async (stream, path) => {
      settled();
      came = true;
      // The half of the relay that waits is of no use any more.
      if (path === "direct") relay.abort();
      await converse(stream, path);
    },
  });
  let came = false;
  const introduction = await answerYes(desk, asked).catch((error: unknown) => {
    expected[Symbol.dispose]();
    throw error;
  });
  if (came) return;
  if (closing.aborted) {
    // Nobody is here any more who could be spoken with: nothing waits for the one who asked.
    expected[Symbol.dispose]();
    return;
  }
  const lifetimeMs = Math.min(millis(introduction.lifetime), LONGEST_MS);
  lapse = setTimeout(() => {
    settled();
    expected[Symbol.dispose]();
    relay.abort();
    lapsed();
    const { username } = peer;
    const error = new ConnectError({ kind: "timeout", message: `${username} did not come.` });
    void emit({ type: "failed", username, error, held: [] });
  }, lifetimeMs);
  closing.addEventListener("abort", settled);
  void openRelayHalf(desk, introductionId, lifetimeMs, AbortSignal.any([relay.signal, closing]));
}

async function answerYes(desk: Desk, { introductionId, direct }: Asked): Promise<Introduction> {
  const { calls, server } = desk.parts;
  const port = direct ? (server.port ?? 0) : 0;
  const introduction = await calls.answerIntroduction({
    introductionId,
    answer: Answer.ACCEPT,
    direct: port !== 0,
    addresses: port === 0 ? [] : ownAddresses(port),
    port,
  });
  if (introduction === undefined) throw new Error("The server's answer to a yes has no introduction.");
  return introduction;
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

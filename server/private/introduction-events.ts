// What streams are told of introductions: a request, and that it needs no answer any more.
import { Feature, type IntroductionOutcome } from "../../gen/parley/chat/v1/event.ts";
import { toPeerDevice } from "../auth/user-messages.ts";
import type { EphemeralEvent } from "../bus/bus.ts";
import { encodeEvent } from "../chat/encoding.ts";
import type { PeerDeviceRow } from "../store/store.ts";
import type { PendingInvitation } from "./pending-invitations.ts";
import type { Program } from "./subscribers.ts";

/** The same key for all that is told of one introduction: a reader who is behind gets the newest alone. */
const keyOf = (id: string): string => `introduction:${id}`;

/** As told now: the time that is left goes with it. */
export function requested(invitation: PendingInvitation, now: number): EphemeralEvent {
  const { id, caller, direct, until } = invitation;
  const timeout = toDuration(Math.max(0, until - now));
  return {
    kind: "ephemeral",
    feature: Feature.INTRODUCTIONS,
    key: keyOf(id),
    piece: encodeEvent({
      kind: {
        $case: "introductionRequested",
        value: { introductionId: id, peer: toPeerDevice(caller), direct, timeout },
      },
    }),
  };
}

export interface Closing {
  readonly outcome: IntroductionOutcome;
  /** Of the device that answered; empty where none did. */
  readonly deviceName: string;
  /** The program that answered: it knows. */
  readonly except: Program | undefined;
}

export function nobodyAnswered(outcome: IntroductionOutcome): Closing {
  return { outcome, deviceName: "", except: undefined };
}

export function answeredBy(
  program: Program,
  { device }: PeerDeviceRow,
  outcome: IntroductionOutcome,
): Closing {
  return { outcome, deviceName: device.deviceName, except: program };
}

export function closed(id: string, { outcome, deviceName, except }: Closing): EphemeralEvent {
  const value = { introductionId: id, outcome, deviceName };
  return {
    kind: "ephemeral",
    feature: Feature.INTRODUCTIONS,
    key: keyOf(id),
    except,
    piece: encodeEvent({ kind: { $case: "introductionClosed", value } }),
  };
}

export function toDuration(ms: number): { seconds: bigint; nanos: number } {
  const whole = Math.round(ms);
  return { seconds: BigInt(Math.floor(whole / 1000)), nanos: (whole % 1000) * 1_000_000 };
}

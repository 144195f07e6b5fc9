// Encodes the events about introductions: that a user is asked, and that a question has ended.
import { Feature, type IntroductionOutcome } from "../../gen/parley/chat/v1/event.ts";
import { toPeerDevice } from "../auth/user-messages.ts";
import type { EphemeralEvent } from "../bus/bus.ts";
import { encodeEvent } from "../chat/encoding.ts";
import type { PeerDeviceRow } from "../store/store.ts";
import type { Program } from "./subscribers.ts";

/** All events of one introduction have the same key, so a reader that is behind receives only the newest. */
const keyOf = (id: string): string => `introduction:${id}`;

/** The parts of an invitation that IntroductionRequested contains. */
export interface InvitationFacts {
  readonly id: string;
  readonly caller: PeerDeviceRow;
  /** Whether the caller allows a direct path. */
  readonly direct: boolean;
  /** When the invitation ends if it is not answered, by the monotonic clock, ms. */
  readonly until: number;
}

/**
 * Encodes IntroductionRequested, with the time that is left for an answer.
 * @param now the time by the monotonic clock, ms
 */
export function requested(facts: InvitationFacts, now: number): EphemeralEvent {
  const { id, caller, direct, until } = facts;
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
  /** The name of the device that answered; empty if none did. */
  readonly deviceName: string;
  /** The program that answered; it receives no event. */
  readonly except: Program | undefined;
}

export function withoutAnswer(outcome: IntroductionOutcome): Closing {
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

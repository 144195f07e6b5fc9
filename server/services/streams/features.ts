// The families of events that a stream can have, and which of them a Hello selects.
import { Feature } from "../../../gen/parley/chat/v1/event.ts";

/** Those of a Hello that names none. INTRODUCTIONS must be named, since a client that asks for them must answer them. */
const commonFeatures = [Feature.PRESENCE, Feature.TYPING, Feature.MARKERS];
export const allFeatures: readonly Feature[] = [...commonFeatures, Feature.INTRODUCTIONS];

/** The families that the list selects. Values that this server does not know select nothing. */
export function selectFeatures(wanted: readonly Feature[]): ReadonlySet<Feature> {
  return new Set(
    wanted.length === 0 ? commonFeatures : allFeatures.filter((feature) => wanted.includes(feature)),
  );
}

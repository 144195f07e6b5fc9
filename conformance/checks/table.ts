// All checks of the kit in the order in which they run: the simple ones first, since the others depend on them.

import { administrationChecks } from "./administration.ts";
import { blockChecks } from "./blocks.ts";
import type { Check } from "./check.ts";
import { contentChecks } from "./contents.ts";
import { findingChecks } from "./finding.ts";
import { historyChecks } from "./history.ts";
import { limitChecks } from "./limits.ts";
import { logInChecks } from "./log-in.ts";
import { markerChecks } from "./markers.ts";
import { onceChecks } from "./once.ts";
import { openingChecks } from "./opening.ts";
import { orderChecks } from "./order.ts";
import { presenceChecks } from "./presence.ts";
import { refusalChecks } from "./refusals.ts";
import { restartChecks } from "./restart.ts";
import { resumeChecks } from "./resume.ts";
import { slowReaderChecks } from "./slow-reader.ts";
import { twinChecks } from "./twins.ts";
import { unknownChecks } from "./unknown.ts";

export const checks: readonly Check[] = [
  ...logInChecks,
  ...openingChecks,
  ...orderChecks,
  ...onceChecks,
  ...contentChecks,
  ...unknownChecks,
  ...refusalChecks,
  ...historyChecks,
  ...findingChecks,
  ...resumeChecks,
  ...slowReaderChecks,
  ...limitChecks,
  ...markerChecks,
  ...presenceChecks,
  ...blockChecks,
  ...administrationChecks,
  ...twinChecks,
  ...restartChecks,
];

// What every store promises, as tests that any implementation can be put under.
import { afterEach, beforeEach, describe } from "vitest";
import { accountPromises } from "./store-accounts.ts";
import { blockPromises } from "./store-blocks.ts";
import { identityPromises } from "./store-identities.ts";
import { logPromises } from "./store-log.ts";
import { logInPromises } from "./store-log-ins.ts";
import { presencePromises } from "./store-presence.ts";
import { Stage, type StoreUnderTest } from "./store-stage.ts";

export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    const stage = new Stage();
    beforeEach(() => stage.raise(open));
    afterEach(() => stage.strike());
    logPromises(stage);
    presencePromises(stage);
    accountPromises(stage);
    blockPromises(stage);
    logInPromises(stage);
    identityPromises(stage);
  });
}

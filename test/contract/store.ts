// What every store promises, as tests that any implementation can be put under.
import { afterEach, beforeEach, describe } from "vitest";
import { accountPromises } from "./store-accounts.ts";
import { blockPromises } from "./store-blocks.ts";
import { Fixture, type StoreUnderTest } from "./store-fixture.ts";
import { identityPromises } from "./store-identities.ts";
import { logPromises } from "./store-log.ts";
import { logInPromises } from "./store-log-ins.ts";
import { presencePromises } from "./store-presence.ts";

export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    const fixture = new Fixture();
    beforeEach(() => fixture.raise(open));
    afterEach(() => fixture.strike());
    logPromises(fixture);
    presencePromises(fixture);
    accountPromises(fixture);
    blockPromises(fixture);
    logInPromises(fixture);
    identityPromises(fixture);
  });
}

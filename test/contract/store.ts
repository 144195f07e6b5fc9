// What every store promises, as tests that any implementation can be run through.
import { describe } from "vitest";
import { accountPromises } from "./store-accounts.ts";
import { adminPromises } from "./store-admin.ts";
import { announcementPromises } from "./store-announcements.ts";
import { blockPromises } from "./store-blocks.ts";
import { Fixture, type StoreUnderTest } from "./store-fixture.ts";
import { identityPromises } from "./store-identities.ts";
import { logPromises } from "./store-log.ts";
import { logInPromises } from "./store-log-ins.ts";
import { nodePromises } from "./store-nodes.ts";
import { onlineStreamPromises } from "./store-online-streams.ts";
import { presencePromises } from "./store-presence.ts";

const parts = {
  LogStore(fixture: Fixture) {
    logPromises(fixture);
    announcementPromises(fixture);
  },
  NodeStore: nodePromises,
  PresenceStore(fixture: Fixture) {
    presencePromises(fixture);
    onlineStreamPromises(fixture);
  },
  AccountStore: accountPromises,
  AdminStore: adminPromises,
  BlockStore: blockPromises,
  LogInStore: logInPromises,
  IdentityStore: identityPromises,
};

export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    for (const [part, promises] of Object.entries(parts)) {
      describe(part, () => {
        const fixture = new Fixture(open);
        fixture.shareStore();
        promises(fixture);
      });
    }
  });
}

// The store's promises about the leases of nodes.
import { describe, expect, it } from "vitest";
import type { Fixture } from "./store-fixture.ts";

export function nodePromises(fixture: Fixture): void {
  describe("leases", () => {
    it("have rising epochs, and can be renewed while they last and after they are over", async () => {
      const { nodes } = fixture.store;
      const first = await nodes.take(fixture.name("a"), 1_000, 2_000);
      const other = await nodes.take(fixture.name("b"), 1_000, 2_000);
      expect(other).toBeGreaterThan(first);
      expect(await nodes.renew(first, 1_500, 2_500)).toBe(true);
      expect(await nodes.renew(first, 9_000, 10_000)).toBe(true);
      expect(await nodes.renew(other + 1_000, 9_000, 10_000)).toBe(false);
    });

    it("end when the node takes another one, or ends it", async () => {
      const { nodes } = fixture.store;
      const first = await nodes.take(fixture.name("a"), 1_000, 2_000);
      const other = await nodes.take(fixture.name("b"), 1_000, 2_000);
      const second = await nodes.take(fixture.name("a"), 1_100, 2_100);
      expect(await nodes.renew(first, 1_200, 2_200)).toBe(false);
      expect(await nodes.renew(other, 1_200, 2_200)).toBe(true);
      await nodes.end(second, 1_300);
      expect(await nodes.renew(second, 1_400, 2_400)).toBe(false);
    });
  });
}

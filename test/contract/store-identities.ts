// The store's promises about identity keys and the certificates of devices.
import { describe, expect, it } from "vitest";
import type { NewDeviceKey } from "../../server/store/store.ts";
import { bytes, type Fixture, hashOf } from "./store-fixture.ts";

const signatureOf = (text: string): Uint8Array => new Uint8Array([...hashOf(text), ...hashOf(text)]);

/** The certificate of a device. The text stands for the certificate's key. */
const keyOf = (
  device: { userId: number; deviceId: number },
  key: string,
  identity?: { key: string; signature: string; replace?: boolean },
): NewDeviceKey => ({
  ...device,
  certificate: bytes(`certificate of ${key}`),
  fingerprint: `SHA256:${key}`,
  identity: identity && {
    key: hashOf(identity.key),
    signature: signatureOf(identity.signature),
    replace: identity.replace ?? false,
  },
  time: 7,
});

/** Adds one device for each name, and the users they belong to. */
async function devices<const N extends readonly string[]>(
  fixture: Fixture,
  ...owners: N
): Promise<{ [K in keyof N]: { userId: number; deviceId: number } }> {
  const ids = new Map<string, number>();
  const made: { userId: number; deviceId: number }[] = [];
  for (const owner of owners) {
    const [userId] = ids.has(owner) ? [ids.get(owner) ?? 0] : await fixture.users(owner);
    ids.set(owner, userId);
    made.push({ userId, deviceId: (await fixture.session(userId)).deviceId });
  }
  return made as { [K in keyof N]: { userId: number; deviceId: number } };
}

export function identityPromises(fixture: Fixture): void {
  describe("identities", () => {
    it("are set once: another key is refused, and the same key again changes only the device", async () => {
      const [laptop, phone] = await devices(fixture, "ada", "ada");
      const { identities } = fixture.store;
      expect(await identities.identity(laptop.userId)).toBeUndefined();
      const first = keyOf(laptop, "l1", { key: "one", signature: "s1" });
      const identity = {
        user: { userId: laptop.userId, username: fixture.name("ada") },
        key: hashOf("one"),
        createTime: 7,
      };
      const device = {
        deviceId: laptop.deviceId,
        deviceName: "laptop",
        certificate: bytes("certificate of l1"),
        fingerprint: "SHA256:l1",
        signature: signatureOf("s1"),
      };
      expect(await identities.registerDevice(first)).toEqual({ status: "registered", identity, device });
      const other = keyOf(phone, "p1", { key: "two", signature: "s2" });
      expect(await identities.registerDevice(other)).toEqual({ status: "identity-taken" });
      expect(await identities.peerDevice(phone.deviceId)).toBeUndefined();
      const again = { ...keyOf(laptop, "l1", { key: "one", signature: "s3" }), time: 8 };
      expect(await identities.registerDevice(again)).toEqual({
        status: "registered",
        identity,
        device: { ...device, signature: signatureOf("s3") },
      });
      const { identities: reopened } = await fixture.under.reopen();
      expect(await reopened.identity(laptop.userId)).toEqual(identity);
      expect(await reopened.peerDevice(laptop.deviceId)).toEqual({
        user: identity.user,
        identityKey: identity.key,
        device: { ...device, signature: signatureOf("s3") },
      });
    });

    it("void the signatures of all other devices of the user when replaced, and of no other user", async () => {
      const [laptop, phone, bobs] = await devices(fixture, "ada", "ada", "bob");
      const { identities } = fixture.store;
      await identities.registerDevice(keyOf(laptop, "l", { key: "one", signature: "s1" }));
      await identities.registerDevice(keyOf(phone, "p", { key: "one", signature: "s2" }));
      await identities.registerDevice(keyOf(bobs, "b", { key: "bobs", signature: "s3" }));
      // The same key again replaces nothing.
      await identities.registerDevice(keyOf(phone, "p", { key: "one", signature: "s2", replace: true }));
      expect((await identities.peerDevice(laptop.deviceId))?.device.signature).toEqual(signatureOf("s1"));
      const replacing = { ...keyOf(phone, "p", { key: "two", signature: "s4", replace: true }), time: 9 };
      expect(await identities.registerDevice(replacing)).toMatchObject({
        status: "registered",
        identity: { key: hashOf("two"), createTime: 9 },
        device: { signature: signatureOf("s4") },
      });
      expect((await identities.peerDevice(laptop.deviceId))?.device.signature).toBeUndefined();
      expect((await identities.peerDevice(bobs.deviceId))?.device.signature).toEqual(signatureOf("s3"));
    });

    it("keep the signature of a device while its key is the same, and drop it with another key", async () => {
      const [laptop] = await devices(fixture, "ada");
      const { identities } = fixture.store;
      await identities.registerDevice(keyOf(laptop, "l1", { key: "one", signature: "s1" }));
      const renewed = { ...keyOf(laptop, "l1"), certificate: bytes("renewed") };
      expect(await identities.registerDevice(renewed)).toMatchObject({
        identity: { key: hashOf("one") },
        device: { certificate: bytes("renewed"), signature: signatureOf("s1") },
      });
      expect(await identities.registerDevice(keyOf(laptop, "l2"))).toMatchObject({
        identity: { key: hashOf("one") },
        device: { certificate: bytes("certificate of l2"), signature: undefined },
      });
    });

    it("sign devices of their user if the keys are still those of the signature", async () => {
      const [laptop, phone, bobs] = await devices(fixture, "ada", "ada", "bob");
      const { identities } = fixture.store;
      const sign = (deviceId: number, fingerprint: string, key = "one") =>
        identities.signDevice({
          userId: laptop.userId,
          deviceId,
          signature: signatureOf("by one"),
          identityKey: hashOf(key),
          fingerprint,
        });
      await identities.registerDevice(keyOf(phone, "p"));
      expect(await sign(phone.deviceId, "SHA256:p")).toBe("changed");
      await identities.registerDevice(keyOf(laptop, "l", { key: "one", signature: "s1" }));
      await identities.registerDevice(keyOf(bobs, "b"));
      expect(await sign(phone.deviceId, "SHA256:p", "two")).toBe("changed");
      expect(await sign(phone.deviceId, "SHA256:other")).toBe("changed");
      expect(await sign(bobs.deviceId, "SHA256:b")).toBe("no-device");
      expect(await sign(999, "SHA256:p")).toBe("no-device");
      expect((await identities.peerDevice(phone.deviceId))?.device.signature).toBeUndefined();
      expect(await sign(phone.deviceId, "SHA256:p")).toBe("signed");
      expect((await identities.peerDevice(phone.deviceId))?.device.signature).toEqual(signatureOf("by one"));
    });

    it("list a user's devices in the order of their creation, with the name of the newest log-in", async () => {
      const [first, second, bobs, bare] = await devices(fixture, "ada", "ada", "bob", "ada");
      const { identities, accounts } = fixture.store;
      for (const device of [second, first, bobs]) await identities.registerDevice(keyOf(device, "k"));
      await accounts.startSession({
        userId: second.userId,
        passwordHash: fixture.hash("ada"),
        deviceId: second.deviceId,
        deviceSecretHash: hashOf("secret"),
        tokenHash: hashOf("another token"),
        client: { name: "test", version: "1", deviceName: "renamed" },
        address: "127.0.0.1",
        time: 2_000,
        expireTime: 1_000_000,
      });
      const listed = async (after: number, limit: number) =>
        (await identities.listDevices(first.userId, after, limit)).map((row) => [
          row.deviceId,
          row.deviceName,
        ]);
      expect(await listed(0, 10)).toEqual([
        [first.deviceId, "laptop"],
        [second.deviceId, "renamed"],
      ]);
      expect(await listed(0, 1)).toEqual([[first.deviceId, "laptop"]]);
      expect(await listed(first.deviceId, 10)).toEqual([[second.deviceId, "renamed"]]);
      expect(await identities.peerDevice(bare.deviceId)).toBeUndefined();
    });

    it("are accepted only for devices of their user, and are removed with the user", async () => {
      const [laptop, bobs] = await devices(fixture, "ada", "bob");
      const { identities, accounts } = fixture.store;
      const foreign = keyOf({ userId: laptop.userId, deviceId: bobs.deviceId }, "f");
      expect(await identities.registerDevice(foreign)).toEqual({ status: "no-device" });
      await identities.registerDevice(keyOf(laptop, "l", { key: "one", signature: "s1" }));
      expect(await accounts.removeUser(fixture.name("ada"))).toBe(true);
      expect(await identities.identity(laptop.userId)).toBeUndefined();
      expect(await identities.peerDevice(laptop.deviceId)).toBeUndefined();
      expect(await identities.listDevices(laptop.userId, 0, 10)).toEqual([]);
      expect(await identities.registerDevice(keyOf(laptop, "l"))).toEqual({ status: "no-device" });
    });
  });
}

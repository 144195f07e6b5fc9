// Scenarios of identity keys and device certificates: whose they become, who vouches for whom, and what is no key at all.
import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { makeCertificate } from "../rpc/certificates.ts";
import { reasonOf, type TestClient } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { newCertificate, newIdentity, register, vouch } from "./device-keys.ts";

const people = ["leia", "han"];
const nothing = Buffer.alloc(0);

const identityOf = async (client: TestClient, username: string) =>
  (await client.unary(client.identity, client.identity.getIdentity, { username })).identity;

const devicesOf = (client: TestClient, pageSize = 0, pageToken = "") =>
  client.unary(client.identity, client.identity.listDeviceKeys, { pageSize, pageToken });

const sign = (client: TestClient, deviceId: string, signature: Buffer) =>
  client.unary(client.identity, client.identity.signDeviceKey, { deviceId, signature });

test("the first device makes the identity, and others see it by name", async () => {
  await using server = await TestServer.start({ users: people });
  const laptop = await server.logIn("leia");
  const han = await server.logIn("han");
  const identity = newIdentity();
  const certificate = newCertificate();
  expect(await reasonOf(identityOf(han, "leia"))).toBe("IDENTITY_NOT_FOUND");
  expect(await reasonOf(identityOf(han, "lea"))).toBe("USER_NOT_FOUND");
  const registered = await register(laptop, certificate, identity);
  expect(registered).toMatchObject({
    identity: { user: { username: "leia" }, key: identity.key },
    device: {
      deviceId: laptop.grant?.device?.deviceId,
      certificate,
      signature: vouch(identity, laptop, certificate),
    },
  });
  expect(await identityOf(han, "leia")).toEqual(registered.identity);
  expect(await identityOf(laptop, "leia")).toEqual(registered.identity);
  expect(await register(laptop, certificate, identity)).toEqual(registered);
});

test("another identity is refused; a second device comes without one, and the first vouches for it", async () => {
  await using server = await TestServer.start({ users: people });
  const laptop = await server.logIn("leia");
  const phone = await server.logIn("leia");
  const han = await server.logIn("han");
  const identity = newIdentity();
  const certificate = newCertificate();
  await register(laptop, newCertificate(), identity);
  await expect(register(phone, certificate, newIdentity())).rejects.toMatchObject({
    reason: "IDENTITY_TAKEN",
    field: "identity_key",
  });
  expect((await devicesOf(laptop)).devices).toHaveLength(1);
  const phoneId = phone.grant?.device?.deviceId ?? "";
  const signature = vouch(identity, laptop, certificate, phoneId);
  expect(await reasonOf(sign(laptop, phoneId, signature))).toBe("DEVICE_NOT_FOUND");
  expect(await register(phone, certificate)).toMatchObject({
    identity: { key: identity.key },
    device: { signature: nothing },
  });
  // By another identity, of another device, and by a stranger.
  for (const wrong of [
    vouch(newIdentity(), laptop, certificate, phoneId),
    vouch(identity, laptop, certificate),
    signature.subarray(1),
    nothing,
  ]) {
    await expect(sign(laptop, phoneId, wrong)).rejects.toMatchObject({
      reason: "INVALID_FIELD",
      field: "signature",
    });
  }
  expect(await reasonOf(sign(han, phoneId, signature))).toBe("DEVICE_NOT_FOUND");
  expect(await reasonOf(sign(laptop, "x", signature))).toBe("DEVICE_NOT_FOUND");
  expect(await sign(laptop, phoneId, signature)).toMatchObject({ device: { deviceId: phoneId, signature } });
  const first = await devicesOf(phone, 1);
  expect(first).toMatchObject({ identity: { key: identity.key } });
  const second = await devicesOf(phone, 1, first.nextPageToken);
  expect([...first.devices, ...second.devices].map((device) => device.signature.length)).toEqual([64, 64]);
  expect(second.nextPageToken).toBe("");
});

test("to replace the identity voids what the old one said", async () => {
  await using server = await TestServer.start({ users: people });
  const laptop = await server.logIn("leia");
  const phone = await server.logIn("leia");
  await register(laptop, newCertificate(), newIdentity());
  const another = newIdentity();
  await register(phone, newCertificate(), another, true);
  const { devices, identity } = await devicesOf(laptop);
  expect(identity?.key).toEqual(another.key);
  expect(devices.map((device) => device.signature.length)).toEqual([0, 64]);
});

test("a device with another key is nobody's word any more", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await server.logIn("leia");
  const identity = newIdentity();
  await register(leia, newCertificate(), identity);
  expect((await register(leia)).device?.signature).toEqual(nothing);
});

const certificate = newCertificate();
const spoilt = Buffer.from(certificate);
spoilt[spoilt.length - 1] = (spoilt.at(-1) ?? 0) ^ 1;
const foreign = makeCertificate({ issuer: makeCertificate() });
const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
const derOf = (pem: string) => Buffer.from(pem.replace(/-----.*-----|\s/g, ""), "base64");

test.each([
  ["none", nothing],
  ["no certificate", Buffer.from("hello")],
  ["one in PEM", Buffer.from(makeCertificate().cert)],
  ["one with something behind it", Buffer.concat([certificate, Buffer.from([0])])],
  ["a longer one", Buffer.concat([certificate, Buffer.alloc(2048)])],
  ["one of another kind of key", newCertificate("Ed25519")],
  ["one on another curve", derOf(makeCertificate({ privateKey: p384 }).cert)],
  ["one with a spoilt signature", spoilt],
  ["one signed by another", derOf(foreign.cert)],
])("as a certificate, %s is refused", async (_, wrong) => {
  await using server = await TestServer.start({ users: people });
  const leia = await server.logIn("leia");
  await expect(register(leia, wrong)).rejects.toMatchObject({
    reason: "INVALID_FIELD",
    field: "certificate",
  });
  expect((await devicesOf(leia)).devices).toEqual([]);
});

test("an identity key of another length, without a signature or with another's, is refused", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await server.logIn("leia");
  const identity = newIdentity();
  const signature = vouch(identity, leia, certificate);
  const whole = { certificate, identityKey: identity.key, signature, replaceIdentity: false };
  for (const [field, change] of [
    ["identity_key", { identityKey: identity.key.subarray(1) }],
    ["identity_key", { identityKey: nothing, signature: nothing, replaceIdentity: true }],
    ["signature", { signature: nothing }],
    ["signature", { identityKey: nothing }],
    ["signature", { identityKey: newIdentity().key }],
    ["signature", { certificate: newCertificate() }],
    ["signature", { identityKey: Buffer.alloc(32) }],
  ] as const) {
    const call = leia.unary(leia.identity, leia.identity.registerDeviceKey, { ...whole, ...change });
    await expect(call).rejects.toMatchObject({ reason: "INVALID_FIELD", field });
  }
  expect(await reasonOf(identityOf(leia, "leia"))).toBe("IDENTITY_NOT_FOUND");
  expect(server.logged.filter(({ level }) => level > 30)).toEqual([]);
});

test("an identity goes with its user", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  await register(leia, newCertificate(), newIdentity());
  await server.store.accounts.removeUser("leia");
  // The removal may be noticed a little later by who still remembers the name.
  expect(["IDENTITY_NOT_FOUND", "USER_NOT_FOUND"]).toContain(await reasonOf(identityOf(han, "leia")));
});

// Scenarios of identity keys and device certificates: registration, signatures, replacement, and invalid keys.
import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCertificate } from "../rpc/certificates.ts";
import { reasonOf, type TestClient } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { newCertificate, newIdentity, register, signDevice } from "./device-keys.ts";

const people = ["leia", "han"];
const nothing = Buffer.alloc(0);

const identityOf = async (client: TestClient, username: string) =>
  (await client.unary(client.identity, client.identity.getIdentity, { username })).identity;

const devicesOf = (client: TestClient, pageSize = 0, pageToken = "") =>
  client.unary(client.identity, client.identity.listDeviceKeys, { pageSize, pageToken });

const sign = (client: TestClient, deviceId: string, signature: Buffer) =>
  client.unary(client.identity, client.identity.signDeviceKey, { deviceId, signature });

test("the first device registers the identity key, and other users get it by name", async () => {
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
      signature: signDevice(identity, laptop, certificate),
    },
  });
  expect(await identityOf(han, "leia")).toEqual(registered.identity);
  expect(await identityOf(laptop, "leia")).toEqual(registered.identity);
  expect(await register(laptop, certificate, identity)).toEqual(registered);
});

test("a second identity key is refused; a second device registers without one, and the first device signs it", async () => {
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
  const signature = signDevice(identity, laptop, certificate, phoneId);
  expect(await reasonOf(sign(laptop, phoneId, signature))).toBe("DEVICE_NOT_FOUND");
  expect(await register(phone, certificate)).toMatchObject({
    identity: { key: identity.key },
    device: { signature: nothing },
  });
  // Signatures by another identity key and of another device, and bytes that are no signature.
  for (const wrong of [
    signDevice(newIdentity(), laptop, certificate, phoneId),
    signDevice(identity, laptop, certificate),
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

test("a new identity key deletes the signatures of the old one", async () => {
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

test("a device that registers another certificate loses its signature", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await server.logIn("leia");
  const identity = newIdentity();
  await register(leia, newCertificate(), identity);
  expect((await register(leia)).device?.signature).toEqual(nothing);
});

const certificate = newCertificate();
const corrupted = Buffer.from(certificate);
corrupted[corrupted.length - 1] = (corrupted.at(-1) ?? 0) ^ 1;
const foreign = makeCertificate({ issuer: makeCertificate() });
const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
const derOf = (pem: string) => Buffer.from(pem.replace(/-----.*-----|\s/g, ""), "base64");

describe("certificates", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ users: people });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each([
    ["no bytes", nothing],
    ["some other text", Buffer.from("hello")],
    ["a certificate in PEM", Buffer.from(makeCertificate().cert)],
    ["a certificate with a byte behind it", Buffer.concat([certificate, Buffer.from([0])])],
    ["a certificate that is too long", Buffer.concat([certificate, Buffer.alloc(2048)])],
    ["a certificate with another kind of key", newCertificate("Ed25519")],
    ["a certificate with a key on another curve", derOf(makeCertificate({ privateKey: p384 }).cert)],
    ["a certificate with a corrupted signature", corrupted],
    ["a certificate that another key signed", derOf(foreign.cert)],
  ])("as a certificate, %s is refused", async (_, wrong) => {
    const leia = await server.logIn("leia");
    await expect(register(leia, wrong)).rejects.toMatchObject({
      reason: "INVALID_FIELD",
      field: "certificate",
    });
    expect((await devicesOf(leia)).devices).toEqual([]);
  });
});

test("an identity key of another length, or without its valid signature, is refused", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await server.logIn("leia");
  const identity = newIdentity();
  const signature = signDevice(identity, leia, certificate);
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

test("the identity key is removed with its user", async () => {
  await using server = await TestServer.start({ users: people });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  await register(leia, newCertificate(), newIdentity());
  await server.store.accounts.removeUser("leia");
  // The server may have cached the name.
  expect(["IDENTITY_NOT_FOUND", "USER_NOT_FOUND"]).toContain(await reasonOf(identityOf(han, "leia")));
});

// Whether a server is trusted at the first contact, and when its key has changed.
import { expect, test } from "vitest";
import { checkTrust, isLoopback } from "../../../client/link/server/trust.ts";

const self = { fingerprint: "SHA256:one", trustedBySystem: false };
const official = { fingerprint: "SHA256:two", trustedBySystem: true };
const pinned = { kind: "pin", fingerprint: "SHA256:one" } as const;
const remote = "chat.example:12000";

test("a server whose certificate the system verifies needs no pin", () => {
  expect(checkTrust(remote, official, undefined)).toEqual({
    verdict: "accept",
    trust: { kind: "system" },
    notice: false,
  });
  expect(checkTrust(remote, official, { kind: "system" })).toMatchObject({
    verdict: "accept",
    trust: { kind: "system" },
  });
});

test("an unknown key needs a question, except on loopback or with a policy", () => {
  expect(checkTrust(remote, self, undefined)).toEqual({ verdict: "ask", fingerprint: "SHA256:one" });
  expect(checkTrust("127.0.0.1:1", self, undefined)).toEqual({
    verdict: "accept",
    trust: pinned,
    notice: true,
  });
  expect(checkTrust(remote, self, undefined, { acceptNew: true })).toEqual({
    verdict: "accept",
    trust: pinned,
    notice: false,
  });
  expect(checkTrust(remote, self, undefined, { fingerprint: "SHA256:one" })).toMatchObject({ trust: pinned });
});

test("a known key is accepted, and a changed key is reported with both fingerprints", () => {
  expect(checkTrust(remote, self, pinned)).toMatchObject({ verdict: "accept", trust: pinned });
  const changed = { verdict: "changed", known: "SHA256:one", found: "SHA256:two" };
  for (const policy of [{}, { acceptNew: true }]) {
    expect(checkTrust(remote, official, pinned, policy)).toEqual(changed);
    expect(checkTrust("localhost:1", official, pinned, policy)).toEqual(changed);
    expect(checkTrust(remote, self, { kind: "system" }, policy)).toEqual({
      verdict: "changed",
      known: undefined,
      found: "SHA256:one",
    });
  }
});

test("a fingerprint from the user overrides the stored one", () => {
  const policy = { fingerprint: "SHA256:two" };
  expect(checkTrust(remote, official, pinned, policy)).toMatchObject({
    verdict: "accept",
    trust: { kind: "pin", fingerprint: "SHA256:two" },
  });
  expect(checkTrust(remote, self, undefined, policy)).toEqual({
    verdict: "changed",
    known: "SHA256:two",
    found: "SHA256:one",
  });
});

test.each([
  ["127.0.0.1:12000", true],
  ["127.8.9.10:1", true],
  ["[::1]:12000", true],
  ["localhost:1", true],
  ["LOCALHOST", true],
  ["10.0.0.1:1", false],
  ["127.0.0.1.example.org:1", false],
  ["localhost.example.org:1", false],
])("%s is loopback: %s", (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});

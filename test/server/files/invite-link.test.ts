// Invite links: the client reads what the server writes. Their modules do not import each other.
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readPersonalLink } from "../../../client/cli/account/invite-link.ts";
import { parseAddress } from "../../../rpc/network/address.ts";
import { newSecret } from "../../../server/auth/tokens.ts";
import { formatLink, joinLine, type PersonalLink } from "../../../server/files/invite-link.ts";

/** The link as the client reads it. */
function read(text: string): PersonalLink {
  const { address, kind, secret, fingerprint } = readPersonalLink(text);
  return { ...parseAddress(address), kind, secret, fingerprint };
}

/** The words that a shell reads from the line. */
function pasted(line: string): string[] {
  return execFileSync("sh", ["-c", `printf '%s\\n' ${line}`], { encoding: "utf8" })
    .trimEnd()
    .split("\n");
}

/** As long as a real fingerprint, with slashes, which base64 can contain. */
const fingerprint = `SHA256:${"a/b+".repeat(10)}//Z`;

describe.each([
  ["an IPv4 address", "192.0.2.7"],
  ["an IPv6 address", "2001:db8::1"],
  ["the IPv6 loopback", "::1"],
  ["an IPv6 address that ends like an IPv4 one", "::ffff:192.0.2.7"],
  ["a name", "chat.example.org"],
  ["a name without a dot", "localhost"],
])("%s", (_, host) => {
  test.each([
    ["with a fingerprint", "invite", fingerprint],
    ["without", "invite", undefined],
    ["of a reset, with a fingerprint", "reset", fingerprint],
    ["of a reset, without", "reset", undefined],
  ] as const)("%s is read back after a shell split the line", (_, kind, fingerprint) => {
    const link = { host, port: 12_000, kind, secret: newSecret().secret, fingerprint } as const;
    const line = joinLine(link);
    // zsh refuses a pattern that no file matches; sh does not.
    expect(line.replaceAll(/'[^']*'/g, "")).not.toContain("[");
    const [program, command, argument = "", ...more] = pasted(line);
    expect([program, command, ...more]).toEqual(["parley", "join"]);
    expect(read(argument)).toEqual(link);
  });
});

test("any address, invite and fingerprint are read back unchanged", () => {
  const base64 = (size: number, alphabet: string): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom(...alphabet), minLength: size, maxLength: size });
  const letters = "ABCXYZabcxyz0189";
  const links = fc.record({
    host: fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()),
    port: fc.integer({ min: 1, max: 65_535 }),
    kind: fc.constantFrom("invite" as const, "reset" as const),
    secret: base64(43, `${letters}-_`),
    fingerprint: fc.option(
      base64(43, `${letters}+/`).map((hash) => `SHA256:${hash}`),
      { nil: undefined },
    ),
  });
  fc.assert(
    fc.property(links, (link) => {
      expect(read(formatLink(link))).toEqual({ ...link, host: link.host.toLowerCase() });
    }),
  );
});

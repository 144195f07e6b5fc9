// User names: the examples of RFC 8265, the contextual and bidi rules, and which names look alike.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { misleading } from "../../../server/auth/choices/new-names.ts";
import { enforceUsername, skeleton } from "../../../server/auth/username.ts";

const accepts = (text: string, username = text) =>
  expect(enforceUsername(text)).toEqual({ ok: true, username });
const refuses = (text: string, problem: RegExp) =>
  expect(enforceUsername(text)).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });

describe("RFC 8265 table 1 (UsernameCasePreserved)", () => {
  test.each(["juliet@example.com", "fussball", "fu\u00dfball", "\u03c0", "\u03a3", "\u03c3", "\u03c2"])(
    "%s stays as it is",
    (name) => accepts(name),
  );
  test.each([
    ["foo bar", /a space/],
    ["", /at least one/],
    ["henry\u2163", /U\+2163/],
    ["\u265a", /U\+265A/],
  ])("%s is refused", (name, problem) => refuses(name, problem));
});

describe("mapping", () => {
  test("fullwidth and halfwidth forms are mapped to ordinary characters", () => {
    accepts("\uff59\uff4f\uff44\uff41", "yoda");
    accepts("\uff76\uff85", "\u30ab\u30ca");
  });
  test("case is preserved", () => accepts("YoDa"));
  test("combining marks are composed", () => accepts("e\u0301ric", "\u00e9ric"));
  test("a fullwidth space is a space", () => refuses("yo\u3000da", /a space/));
  test("a compatibility character is refused, even if NFC maps it to an allowed one", () => {
    refuses("\u212bke", /U\+212B/);
    refuses("\ufb01n", /U\+FB01/);
  });
});

describe("characters that are not allowed", () => {
  test.each([
    ["a control character", "yo\u0000da"],
    ["an escape", "yo\u001b[2Jda"],
    ["a bidi override", "yo\u202eda"],
    ["a zero-width space", "yo\u200bda"],
    ["a soft hyphen", "yo\u00adda"],
    ["an emoji", "yoda\u{1f600}"],
    ["an unassigned code point", "yoda\u0378"],
    ["a noncharacter", "yoda\ufdd0"],
    ["half a surrogate pair", "yoda\ud800"],
    ["a conjoining jamo", "\u1100"],
    ["a private-use character", "\ue000"],
    ["a tag character", "yoda\u{e0041}"],
  ])("%s", (_what, name) => refuses(name, /cannot contain/));
});

describe("contextual rules (RFC 5892 appendix A)", () => {
  test("a joiner is allowed only after a virama", () => {
    accepts("\u0915\u094d\u200d\u0937");
    accepts("\u0915\u094d\u200c\u0937");
    refuses("\u0915\u200d\u0937", /U\+200D/);
    refuses("\u200c", /U\+200C/);
  });
  test("a middle dot is allowed between two l", () => {
    accepts("col\u00b7lega");
    refuses("co\u00b7lega", /U\+00B7/);
  });
  test("a keraia is allowed before a Greek letter", () => {
    accepts("\u0375\u03b1");
    refuses("\u0375a", /U\+0375/);
  });
  test("geresh and gershayim are allowed after a Hebrew letter", () => {
    accepts("\u05d2\u05f3");
    refuses("\u05f4\u05d2", /U\+05F4/);
  });
  test("the katakana middle dot is allowed in Japanese text", () => {
    accepts("\u30eb\u30fb\u30af");
    refuses("a\u30fbb", /U\+30FB/);
  });
  test("the two kinds of Arabic digits cannot be mixed", () => {
    accepts("\u0628\u0661");
    accepts("\u0628\u06f1");
    refuses("\u0628\u0661\u06f1", /U\+0661/);
  });
});

describe("bidi rule (RFC 5893)", () => {
  test.each(["\u05d0\u05d1", "\u05d0\u05d11", "\u0627\u0628", "\u05d0-\u05d1", "\u05d0\u05b8"])(
    "%s is fine",
    (name) => accepts(name),
  );
  test.each(["\u05d0a", "a\u05d0", "1\u05d0", "\u05d0-", "\u06281\u0661"])("%s is refused", (name) =>
    refuses(name, /right-to-left/),
  );
});

describe("length", () => {
  test("a name has at most 64 bytes of UTF-8 after mapping", () => {
    accepts("a".repeat(64));
    accepts("\u00e9".repeat(32));
    accepts("e\u0301".repeat(32), "\u00e9".repeat(32));
    refuses("a".repeat(65), /at most 64 bytes/);
    refuses("\u00e9".repeat(33), /at most 64 bytes/);
  });
  test("a very long name is refused immediately", () => refuses("a".repeat(10_000_000), /at most 64 bytes/));
});

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(..."aZ\u00e9e\u0301\uff41\uff9e\uff76\u05d0\u0628\u06611\u094d\u200d\u0915l\u00b7"),
    maxLength: 12,
  }),
);

test("enforcement is idempotent for any text", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const once = enforceUsername(text);
      if (!once.ok) return;
      expect(enforceUsername(once.username)).toEqual(once);
      expect(once.username).toBe(once.username.normalize("NFC"));
      expect(Buffer.byteLength(once.username)).toBeLessThanOrEqual(64);
    }),
    { numRuns: 3000 },
  );
});

describe("skeleton", () => {
  test.each([
    ["PayPal", "paypaI"],
    ["admin", "\u0430dmin"],
    ["bob", "\u0412\u041e\u0412"],
    ["mary", "rnary"],
    ["yoda", "y0da"],
    ["stra\u00dfe", "STRASSE"],
    ["\u03c3\u03bf\u03c6\u03cc\u03c2", "\u03a3\u039f\u03a6\u038c\u03a3"],
    ["\u0412\u043e\u0432\u0430", "\u0432\u043e\u0432\u0430"],
    ["yoda", "\uff59\uff4f\uff44\uff41"],
  ])("%s and %s look alike", (one, other) => expect(skeleton(one)).toBe(skeleton(other)));
  test.each([
    ["yoda", "yodo"],
    ["van", "nan"],
    ["\u00e9ric", "eric"],
    ["hans", "luke"],
  ])("%s and %s do not look alike", (one, other) => expect(skeleton(one)).not.toBe(skeleton(other)));

  test("names that differ only in case have the same skeleton", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii", maxLength: 20 }), (name) => {
        expect(skeleton(name.toUpperCase())).toBe(skeleton(name));
        expect(skeleton(name.toLowerCase())).toBe(skeleton(name));
      }),
    );
  });
  test("every text has a skeleton", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(typeof skeleton(text)).toBe("string");
        expect(skeleton(text.normalize("NFD"))).toBe(skeleton(text.normalize("NFC")));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("new names", () => {
  test.each([
    ["a word that programs print", ["you", "YOU", "everyone", "y\u043eu", "server"]],
    [
      "a name of those who run a server",
      ["admin", "Adm1n", "root", "r00t", "support", "administrator", "postmaster"],
    ],
    [
      "a sign that a shell or a program interprets",
      [
        ...[
          "$(reboot)",
          "&",
          "!!",
          "@alice",
          "a&b",
          "a|b",
          "a;b",
          "a`b",
          "~root",
          "a*",
          "a?b",
          "a%b",
          "{a}",
          "[a]",
          "a=b",
        ],
        ...["yoda:", "a/b", "a\\b", "<b>", "'a'", '"a"', "a,b", "a^b", "#a", "juliet@example.com"],
      ],
    ],
    ["a sign at the beginning", ["-rf", ".hidden", "_x", "+1", "\u0301e"]],
    ["a stack of marks", ["e\u0301\u0302\u0303\u0304\u0305x"]],
    [
      "letters of several scripts",
      ["p\u0430yp\u0430l", "\u0430lice", "\u03b1lice", "\u05d0\u0430", "\u0e01\u3042"],
    ],
    ["digits of several scripts", ["\u0915\u0967\u0031"]],
  ])("%s is refused", (_what, names) => {
    for (const name of names) expect(misleading(name), name).toBeTypeOf("string");
  });

  test.each([
    [
      "Latin",
      ["yoda", "r2-d2", "c3po", "obi.wan", "x_y", "a+b", "caf\u00e9", "young", "1234", "rooted", "adminton"],
    ],
    [
      "other single scripts",
      [
        "\u0430\u043b\u0438\u0441\u0430",
        "\u03b1\u03bb\u03b9\u03ba\u03b7",
        "\u05d0\u05dc\u05d9\u05e1",
        "\u0905\u0932\u093f\u0938",
        "\u13a0\u13b5",
      ],
    ],
    [
      "customary combinations",
      [
        "\u5c24\u8fbe",
        "\u5c24\u9054yoda",
        "\u30e8\u30fc\u30c0\u3068\u6c0f",
        "\uc694\ub2e4yoda",
        "yoda\u3107\u5c24",
      ],
    ],
    ["own digits of a script", ["\u0915\u0967\u0968", "\u0915\u0031"]],
  ])("%s is accepted", (_what, names) => {
    for (const name of names) expect(misleading(name), name).toBeUndefined();
  });
});

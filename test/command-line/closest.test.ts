// The suggestion for a mistyped name: the closest name, or none.
import { expect, test } from "vitest";
import { closest } from "../../command-line/closest.ts";

test.each([
  ["a missing letter", "snd", "send"],
  ["two swapped letters", "hsitory", "history"],
  ["a prefix", "sess", "sessions"],
  ["another case", "whoamI", "whoami"],
  ["a name that is not in lower case", "leia_organa", "Leia_Organa"],
])("%s is close enough", (_, word, name) => {
  expect(closest(word, ["send", "sessions", "history", "who", "whoami", "Leia_Organa"])).toBe(name);
});

test.each(["frobnicate", "x", ""])("%j is close to no name", (word) => {
  expect(closest(word, ["send", "sessions", "history", "who", "whoami"])).toBeUndefined();
});

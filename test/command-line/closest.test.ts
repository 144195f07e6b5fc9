// The name that was meant: near enough, or none at all.
import { expect, test } from "vitest";
import { closest } from "../../command-line/closest.ts";

test.each([
  ["a letter left out", "snd", "send"],
  ["two swapped", "hsitory", "history"],
  ["only the beginning", "sess", "sessions"],
  ["another case", "whoamI", "whoami"],
  ["a name that is not in lower case itself", "leia_organa", "Leia_Organa"],
])("%s", (_, word, name) => {
  expect(closest(word, ["send", "sessions", "history", "who", "whoami", "Leia_Organa"])).toBe(name);
});

test.each(["frobnicate", "x", ""])("%j is near to nothing", (word) => {
  expect(closest(word, ["send", "sessions", "history", "who", "whoami"])).toBeUndefined();
});

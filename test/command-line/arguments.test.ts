// The rules of the one command-line parser that both programs and the conformance kit use.
import { describe, expect, test } from "vitest";
import { type FlagSpec, readArguments } from "../../command-line/arguments.ts";
import { UsageError } from "../../command-line/usage-error.ts";

const specs: readonly FlagSpec[] = [
  { name: "name", value: "NAME", short: "n" },
  { name: "only", value: "CHECK", isRepeated: true },
  { name: "plain" },
  { name: "verbose", short: "v", isNegatable: true },
];

function read(...argv: string[]): { flags: Record<string, readonly string[]>; words: readonly string[] } {
  const { flags, words } = readArguments(argv, specs);
  return { flags: Object.fromEntries(flags), words };
}

describe("values", () => {
  test.each([
    [["--name", "x"], "x"],
    [["--name=x"], "x"],
    [["--name=x=y"], "x=y"],
    [["--name="], ""],
    [["-n", "x"], "x"],
    [["-nx"], "x"],
    [["-n=x"], "x"],
    [["-n="], ""],
    [["-n-5"], "-5"],
    [["--name", "-5"], "-5"],
    [["--name", "-5n"], "-5n"],
    [["--name", "--plain"], "--plain"],
    [["--name", "-nx"], "-nx"],
    [["--name", "--"], "--"],
    [["--name", ""], ""],
  ])("%j gives the value %j", (argv, value) => {
    expect(read(...argv)).toEqual({ flags: { name: [value] }, words: [] });
  });

  test("a repeatable flag keeps its values in order", () => {
    expect(read("--only", "b", "--only=a").flags).toEqual({ only: ["b", "a"] });
  });

  test.each([
    [["--plain"], { plain: ["true"] }],
    [["-v"], { verbose: ["true"] }],
    [["--no-verbose"], { verbose: ["false"] }],
    [["--verbose=false"], { verbose: ["false"] }],
    [["-v=false"], { verbose: ["false"] }],
    [["-v="], { verbose: [""] }],
  ])("the switch %j gives %j", (argv, flags) => {
    expect(read(...argv).flags).toEqual(flags);
  });
});

describe("words", () => {
  test("flags can stand anywhere before --", () => {
    expect(read("a", "--name", "x", "b", "--plain", "--", "--verbose", "-n")).toEqual({
      flags: { name: ["x"], plain: ["true"] },
      words: ["a", "b", "--verbose", "-n"],
    });
  });

  test.each(["-", "-5", "-5.5e3", "-53", "-5n", "", "no-verbose", "x=y"])("%j is a word", (word) => {
    expect(read("--plain", word, "next")).toEqual({ flags: { plain: ["true"] }, words: [word, "next"] });
  });
});

test.each([
  [["--nme"], "There is no flag --nme. Did you mean --name? Put -- before words that begin with a dash."],
  [["-xyz", "w"], "There is no flag -xyz. Put -- before words that begin with a dash."],
  [["--no-plain"], "There is no flag --no-plain. Put -- before words that begin with a dash."],
  [["--constructor"], "There is no flag --constructor. Put -- before words that begin with a dash."],
  [["--__proto__=1"], "There is no flag --__proto__. Put -- before words that begin with a dash."],
  [["--name"], "--name needs a value: --name NAME."],
  [["-n"], "--name needs a value: --name NAME."],
  [["--name", "x", "-n", "y"], "--name is given twice."],
  [["--plain", "--plain"], "--plain is given twice."],
  [["--verbose", "--no-verbose"], "--verbose is given twice."],
  [["--plain=true"], "--plain takes no value."],
  [["--no-verbose=true"], "--no-verbose takes no value."],
])("%j is a usage error: %s", (argv, message) => {
  expect(() => readArguments(argv, specs)).toThrow(new UsageError(message));
});

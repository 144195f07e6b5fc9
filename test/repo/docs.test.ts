// Checks the documents against the code: links, tables, names of commands and scripts, and pictures.
import { existsSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { commands } from "../../client/cli/commands/table.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { defaultLimits } from "../../rpc/listening/listen.ts";
import { limits } from "../../server/limits.ts";
import { meanings } from "../../server/reasons.ts";
import { anchorsOf, code, linksOf, readPage, sectionOf, tableOf } from "./markdown.ts";
import { linesMatching, listFiles, read, readSources, root } from "./sources.ts";

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
  ...listFiles(["docs"], [".md"]),
].map((path) => readPage(path));

describe("links", () => {
  test("to files of the project have a target file and heading", () => {
    const broken = pages.flatMap((page) =>
      linksOf(page)
        .filter((link) => !/^[a-z]+:/.test(link))
        .filter((link) => {
          const [path = "", anchor] = link.split("#");
          const target = path === "" ? page.path : posix.join(posix.dirname(page.path), path);
          if (!existsSync(join(root, target))) return true;
          if (anchor === undefined) return false;
          return statSync(join(root, target)).isDirectory() || !anchorsOf(readPage(target)).has(anchor);
        })
        .map((link) => `${page.path}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  test("of docs/README.md include every page of docs/", () => {
    const reached = new Set(linksOf(readPage("docs/README.md")).map((link) => posix.join("docs", link)));
    const expected = listFiles(["docs"], [".md"]).filter(
      (path) => !/^docs\/(?:README|decisions\/\d.*)\.md$/.test(path),
    );
    expect(expected.filter((path) => !reached.has(path))).toEqual([]);
  });
});

describe("README.md", () => {
  test.each(["## Run it", "## Test it"])("%s has one line to paste", (heading) => {
    const block = sectionOf(readPage("README.md"), heading).match(/^```sh\n(.*?)^```$/ms)?.[1];
    expect(block?.trim().split("\n")).toEqual([expect.stringMatching(/^npm ci && npm (?:start|test)$/)]);
  });
});

test("docs/clients.md has the times of the server", () => {
  const text = read("docs/clients.md").replaceAll(/\s+/g, " ");
  const seconds = (ms: number): string => `${ms / 1_000} seconds`;
  expect(text).toContain(
    `at most every ${seconds(defaultLimits.keepaliveMs)}, and only while a call is open`,
  );
  expect(text).toContain(`not answered within ${seconds(defaultLimits.keepaliveTimeoutMs)} is lost`);
  expect(text).toContain(`\`Hello\` alone, within ${seconds(limits.helloMs)}`);
  expect(text).toContain(`reads nothing for ${seconds(limits.slowReaderMs)} loses its stream`);
  expect([text.includes("closes a connection without calls after a minute"), defaultLimits.idleMs]).toEqual([
    true,
    60_000,
  ]);
});

test("README.md has fewer than 150 lines", () => {
  expect(read("README.md").split("\n").length).toBeLessThan(150);
});

describe("docs/pictures", () => {
  const names = listFiles(["docs/pictures"], [".svg"]);

  test("are in the README, dark and light", () => {
    const shown = [...read("README.md").matchAll(/(?:src|srcset)="([^"]+)"/g)].map(([, path]) => path);
    expect(shown.toSorted()).toEqual(names);
  });

  test.each(names)("%s is small, loads nothing, and shows no path or port of a machine", (path) => {
    const svg = read(path);
    expect(svg.length).toBeLessThan(40_000);
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
      /https?:|url\(|@import|<script/,
    );
    expect(svg).not.toMatch(/\/(?:home|root|tmp|Users|work)\//);
    expect(
      svg
        .matchAll(/127\.0\.0\.1:(\d+)/g)
        .map(([, port]) => port)
        .toArray(),
    ).toContain("12000");
    expect(svg).not.toMatch(/127\.0\.0\.1:(?!12000\b)\d/);
  });
});

test("the README links every test of a promise", () => {
  const named = new Set(linksOf(readPage("README.md")));
  expect(listFiles(["test/promises"], [".test.ts"]).filter((path) => !named.has(path))).toEqual([]);
});

test("npm scripts in the pages exist", () => {
  const { scripts } = JSON.parse(read("package.json"));
  const missing = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\bnpm run ([\w:-]+)/g)]
      .filter(([, name = ""]) => !(name in scripts))
      .map(([found]) => `${path}: ${found}`),
  );
  expect(missing).toEqual([]);
});

describe("commands in the pages exist", () => {
  const code = pages.flatMap(({ path, prose, fences }) =>
    [
      ...fences.map((fence) => fence.text),
      ...[...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? ""),
    ].map((words) => ({ path, words })),
  );
  const named = (program: string): { path: string; words: string; name: string }[] =>
    code.flatMap(({ path, words }) =>
      [...words.matchAll(new RegExp(`(?<![\\w./-])${program} ([a-z]+)\\b`, "g"))].map((match) => ({
        path,
        words: words.trim(),
        name: match[1] ?? "",
      })),
    );

  test("of parley", () => {
    const known = new Set([...commands.map(({ name }) => name), "help"]);
    expect(named("parley").length).toBeGreaterThan(0);
    expect(named("parley").filter(({ name }) => !known.has(name))).toEqual([]);
  });

  test("of parley-server", () => {
    expect(named("parley-server").length).toBeGreaterThan(0);
    expect(
      named("parley-server").filter(
        ({ name }) => !existsSync(join(root, "server", "commands", `${name}.ts`)),
      ),
    ).toEqual([]);
  });
});

describe("docs/errors.md", () => {
  const rows = tableOf(readPage("docs/errors.md"), "Reason", "Status", "Delay", "Meaning");

  test("lists exactly the reasons, in the order of the proto", () => {
    const names = Object.keys(Reason).filter((name) => name !== "UNSPECIFIED" && name !== "UNRECOGNIZED");
    expect(rows.map(([name]) => code(name))).toEqual(names);
  });

  test("has the status that the server sends for each", () => {
    const given = new Map(
      Object.entries(meanings).map(([reason, { code: value }]) => [Number(reason), status[value]]),
    );
    const wanted = Object.entries(Reason).flatMap(([name, value]) =>
      given.has(value) ? [[name, given.get(value)]] : [],
    );
    expect(rows.map(([name, statusName]) => [code(name), statusName])).toEqual(wanted);
  });

  test("has the comment of the proto for each", () => {
    const proto = read("proto/parley/chat/v1/reason.proto");
    const comments = [...proto.matchAll(/((?: {2}\/\/ .*\n)+) {2}REASON_(\w+) = [1-9]/g)].map(
      ([, comment = "", name = ""]) => [
        name,
        comment
          .replaceAll(/^ {2}\/\/ /gm, "")
          .replaceAll("\n", " ")
          .trim(),
      ],
    );
    expect(rows.map(([name, , , meaning]) => [code(name), meaning])).toEqual(comments);
  });

  test("marks each for which the server sends a delay", () => {
    const withDelay = new Set(
      readSources(["server"]).flatMap(({ text }) =>
        [...text.matchAll(/new Refusal\(\s*Reason\.(\w+),\s*\{[^}]*retryDelayMs/g)].map(([, name]) => name),
      ),
    );
    expect(withDelay.size).toBeGreaterThan(0);
    expect(new Set(rows.filter(([, , delay]) => delay === "yes").map(([name]) => code(name)))).toEqual(
      withDelay,
    );
    expect(rows.filter(([, , delay]) => delay !== "yes" && delay !== "")).toEqual([]);
  });
});

describe("docs/protocol.md", () => {
  const units: Record<string, number> = { KiB: 1024, MiB: 1024 * 1024, ms: 1, s: 1000, "": 1 };

  test("has the limits that the server enforces", () => {
    const rows = tableOf(readPage("docs/protocol.md"), "Bound", "Value", "Name");
    const quoted = rows.map(([, value = "", name]) => {
      const [, digits = "", unit = ""] = value.match(/^([\d,]+) ?(KiB|MiB|ms|s|bytes)?$/) ?? [];
      return [
        code(name),
        Number(digits.replaceAll(",", "")) * (units[unit.replace("bytes", "")] ?? Number.NaN),
      ];
    });
    const enforced: Record<string, number> = limits;
    expect(quoted).toEqual(rows.map(([, , name]) => [code(name), enforced[code(name)]]));
  });
});

describe("docs/decisions", () => {
  const records = listFiles(["docs/decisions"], [".md"]).filter((path) => !path.endsWith("README.md"));

  test("are numbered from 1 without a gap", () => {
    expect(records.map((path) => Number(posix.basename(path).slice(0, 4)))).toEqual(
      records.map((_, index) => index + 1),
    );
  });

  test("are in the index, by title", () => {
    const listed = tableOf(readPage("docs/decisions/README.md"), "No.", "Decision").map((row) => row[1]);
    const expected = records.map((path) => {
      const title = read(path).match(/^# \d{4} (.+)$/m)?.[1];
      return `[${title}](${posix.basename(path)})`;
    });
    expect(listed).toEqual(expected);
  });

  test("have the four headings, and fit one page", () => {
    const headings = ["## Context", "## Decision", "## Consequences", "## Rejected"];
    for (const path of records) {
      expect([path, read(path).match(/^## .+$/gm)]).toEqual([path, headings]);
      expect(read(path).split("\n").length, path).toBeLessThan(60);
    }
  });
});

test("docs are imported by nothing", () => {
  const naming = readSources(["rpc", "server", "client"]).filter((source) =>
    source.imports.some(({ file }) => file?.startsWith("docs/")),
  );
  expect(naming.map(({ path }) => path)).toEqual([]);
  expect(linesMatching({ path: "x", text: "a\n// b\nb", imports: [] }, /b/)).toEqual([
    { line: 3, text: "b" },
  ]);
});

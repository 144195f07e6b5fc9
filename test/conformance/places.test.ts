// What the kit says about the contract is true: each check names a place that is there, and the statuses are those of
// docs/errors.md.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createFileRegistry, type DescMessage, type DescService, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { checks } from "../../conformance/checks/table.ts";
import { statusOf } from "../../conformance/client/reasons.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { meanings } from "../../server/reasons.ts";
import { readPage } from "../repo/markdown.ts";
import { root } from "../repo/sources.ts";

const image = fromBinary(FileDescriptorSetSchema, readFileSync(join(root, "gen", "parley.binpb")));
const registry = createFileRegistry(image);

function isThere(contract: string): boolean {
  const [file = "", place = ""] = contract.split(": ");
  if (file.startsWith("docs/")) return readPage(file).text.includes(`# ${place}\n`);
  const [name = "", member] = place.split(".");
  const desc = registry.getFile(`parley/chat/v1/${file}`);
  const members = [...(desc?.messages ?? []), ...(desc?.services ?? [])].find((one) => one.name === name);
  if (members === undefined) {
    return desc?.enums.some(({ values }) => values.some((value) => value.name === name)) === true;
  }
  return member === undefined || namesIn(members).includes(member);
}

function namesIn(desc: DescMessage | DescService): string[] {
  return desc.kind === "message" ? desc.fields.map(({ name }) => name) : desc.methods.map(({ name }) => name);
}

test("each check names a place in the contract", () => {
  expect(
    checks.filter(({ contract }) => !isThere(contract)).map(({ name, contract }) => [name, contract]),
  ).toEqual([]);
  expect(isThere("entry.proto: Entry.colour")).toBe(false);
  expect(isThere("docs/protocol.md: Colours")).toBe(false);
});

test("each check has a name of its own, in a group, and says one thing", () => {
  const names = checks.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !/^[a-z-]+(?:\.[a-z0-9-]+)?$/.test(name))).toEqual([]);
  expect(checks.filter(({ says }) => says.endsWith(".") || says === "")).toEqual([]);
});

test("the statuses are those that this server gives", () => {
  const ours = Object.fromEntries(
    Object.entries(Reason).flatMap(([name, value]) => {
      const meaning = (meanings as Record<number, { code: number } | undefined>)[value];
      return meaning === undefined ? [] : [[name, meaning.code]];
    }),
  );
  expect(statusOf).toEqual(ours);
});

// Each check of the kit names an existing place in the contract, and the statuses are those of docs/errors.md.

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

function exists(contract: string): boolean {
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

test("each check names an existing place in the contract", () => {
  expect(
    checks.filter(({ contract }) => !exists(contract)).map(({ name, contract }) => [name, contract]),
  ).toEqual([]);
  expect(exists("entry.proto: Entry.colour")).toBe(false);
  expect(exists("docs/protocol.md: Colours")).toBe(false);
});

test("each check has a unique name in a group, and a sentence without a full stop", () => {
  const names = checks.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !/^[a-z-]+(?:\.[a-z0-9-]+)?$/.test(name))).toEqual([]);
  expect(checks.filter(({ says }) => says.endsWith(".") || says === "")).toEqual([]);
});

test("the statuses of reasons are those of this server", () => {
  const ours = Object.fromEntries(
    Object.entries(Reason).flatMap(([name, value]) => {
      const meaning = (meanings as Record<number, { code: number } | undefined>)[value];
      return meaning === undefined ? [] : [[name, meaning.code]];
    }),
  );
  expect(statusOf).toEqual(ours);
});

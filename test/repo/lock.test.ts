// Checks that the lock file is complete: `npm ci` refuses one that lacks a package for another platform, and installs a
// package without a hash unverified.
import { expect, test } from "vitest";
import { read } from "./sources.ts";

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

test("package-lock.json has a version of every dependency, for every platform", () => {
  const { packages } = JSON.parse(read("package-lock.json")) as { packages: Record<string, LockedPackage> };
  const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !placesOf(path, name).some((place) => packages[place]?.version !== undefined))
      .map((name) => `${path} needs ${name}`),
  );
  expect(missing).toEqual([]);
});

test("package-lock.json has the hash of every package, for every platform", () => {
  const { packages } = JSON.parse(read("package-lock.json")) as { packages: Record<string, LockedPackage> };
  const missing = Object.entries(packages)
    .filter(([path, { link }]) => path.includes("node_modules/") && link !== true)
    .filter(([, { integrity = "" }]) => !integrity.startsWith("sha512-"))
    .map(([path]) => path);
  expect(missing).toEqual([]);
});

/** The paths at which Node looks for a package imported from a path of the lock file, nearest first. */
function placesOf(path: string, name: string): string[] {
  const folders = path === "" ? [] : path.split("/");
  const parents = ["", ...folders.map((_, index) => `${folders.slice(0, index + 1).join("/")}/`)];
  return parents.reverse().map((parent) => `${parent}node_modules/${name}`);
}

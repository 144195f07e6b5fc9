// The lock file is whole: `npm ci` refuses one that lacks a package for some other platform, and installs nothing.
import { expect, test } from "vitest";
import { read } from "./sources.ts";

interface LockedPackage {
  readonly version?: string;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

test("package-lock.json has a version of everything that its packages may need, on any platform", () => {
  const { packages } = JSON.parse(read("package-lock.json")) as { packages: Record<string, LockedPackage> };
  const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !placesOf(path, name).some((place) => packages[place]?.version !== undefined))
      .map((name) => `${path} needs ${name}`),
  );
  expect(missing).toEqual([]);
});

/** Where Node looks for a package that is imported from a path of the lock file, nearest first. */
function placesOf(path: string, name: string): string[] {
  const folders = path === "" ? [] : path.split("/");
  const parents = ["", ...folders.map((_, index) => `${folders.slice(0, index + 1).join("/")}/`)];
  return parents.reverse().map((parent) => `${parent}node_modules/${name}`);
}

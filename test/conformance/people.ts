// The three users that the kit is given in the tests.
import type { People } from "../../conformance/people.ts";
import { passwordOf } from "../support/server.ts";

export const usernames = ["ann", "ben", "cat"] as const;

export const people: People = {
  ann: { username: "ann", password: passwordOf("ann") },
  ben: { username: "ben", password: passwordOf("ben") },
  cat: { username: "cat", password: passwordOf("cat") },
};

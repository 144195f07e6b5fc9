// Which names new users may choose, of those that RFC 8265 allows: none that misleads people, programs or shells.
import { skeleton } from "../username.ts";
import { mixesScripts } from "./scripts.ts";

/**
 * Words that programs print in places where a user name may appear, and names by which people recognize those who run a
 * server (RFC 2142 has some of them). Names that look like one of them are reserved too.
 */
const RESERVED = [
  ...["you", "everyone", "error", "parley", "server", "system", "nobody", "null", "undefined"],
  ...["admin", "administrator", "root", "superuser", "sysadmin", "operator", "moderator", "owner", "staff"],
  ...["support", "help", "helpdesk", "security", "abuse", "info", "postmaster", "hostmaster", "webmaster"],
];

/** Letters, marks, digits, four signs, and the signs of single scripts that the identifier class allows in context. */
const ALLOWED = /^[\p{L}\p{M}\p{N}._+\-\u00b7\u0375\u05f3\u05f4\u30fb\u200c\u200d]+$/u;

/**
 * Why a new name that RFC 8265 allows would mislead, as a sentence for the user that says what to do; undefined if it
 * would not. Call it for users who sign up or are added; imported names and existing users are not checked.
 */
export function misleading(username: string): string | undefined {
  const looks = skeleton(username);
  if (RESERVED.some((word) => skeleton(word) === looks)) {
    return `"${username}" is reserved. Choose another name, or add something to it.`;
  }
  if (!ALLOWED.test(username)) return "A user name consists of letters, digits and the signs . _ - +.";
  if (!/^[\p{L}\p{N}]/u.test(username)) return "A user name begins with a letter or a digit.";
  if (/\p{M}{4}/u.test(username)) return "A user name cannot stack more than three marks on a letter.";
  if (mixesScripts(username)) {
    return "A user name cannot mix letters or digits of different scripts, because they can look alike.";
  }
  return undefined;
}

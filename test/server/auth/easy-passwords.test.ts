// Passwords that are guessed first.
import { expect, test } from "vitest";
import { easyToGuess } from "../../../server/auth/choices/easy-passwords.ts";

test.each([
  "password",
  "Password",
  "PASSWORD1!",
  "passw0rd",
  "12345678",
  "1234567890",
  "87654321",
  "abcdefgh",
  "qwertyuiop",
  "Qwertzuiop",
  "asdfghjkl",
  "1q2w3e4r",
  "11111111",
  "abababab",
  "abcabcabc",
  "iloveyou",
  "letmein1",
  "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44",
])("%s is easy to guess", (password) => {
  expect(easyToGuess(password, "yoda")).toMatch(/guessed first.*Choose another/);
});

test.each([
  ["chewbacca", "chewbacca"],
  ["ChewBacca", "chewbacca"],
  ["chewbacca1!", "chewbacca"],
  ["12chewbacca", "Chewbacca"],
  ["yodayoda", "yoda"],
  ["yoda2024", "yoda"],
])("%s is easy to guess for %s", (password, username) => {
  expect(easyToGuess(password, username)).toMatch(/your user name/);
});

test.each([
  "a long password",
  "correct horse battery staple",
  "password of yoda",
  "yoda has nine lives",
  "tr0ub4dor&3",
  "hunter2 hunter3",
])("%s is not known to be easy", (password) => {
  expect(easyToGuess(password, "yoda")).toBeUndefined();
});

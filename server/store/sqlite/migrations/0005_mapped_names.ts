// Step 5: imported names get the form in which names are looked up: width mapping and NFC.
import type { Database } from "../database/database.ts";

/**
 * A name whose mapped form another user has or had keeps its form. Such a user can no longer be named; the operator
 * can remove the other user, or add one with a new name.
 */
export function mappedNames(database: Database): void {
  const users = database.all<{ userId: number; username: string }>(
    "SELECT user_id AS userId, username FROM users WHERE username GLOB '*[^ -~]*'",
  );
  for (const { userId, username } of users) {
    const mapped = username
      .replace(/[\u3000\uff01-\uffee]/gu, (character) => character.normalize("NFKC"))
      .normalize("NFC");
    if (mapped === username) continue;
    const { changes } = database.run(
      "UPDATE OR IGNORE users SET username = ? WHERE user_id = ?",
      mapped,
      userId,
    );
    if (changes === 0) continue;
    const sql = "UPDATE OR IGNORE log_in_failures SET key = 'name:' || ? WHERE key = 'name:' || ?";
    database.run(sql, mapped, username);
  }
}

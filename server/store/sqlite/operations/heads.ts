// The head of a conversation: the highest seq of its entries. No row has it, since an index finds it, and so a commit
// writes no row for each conversation that it adds to. The newest entry of a conversation is therefore never deleted.

/** SQL for the head of a conversation; 0 if it has no entry. @param conversation SQL for its id */
export function headOf(conversation: string | number): string {
  return `coalesce((SELECT seq FROM entries WHERE conversation_id = ${conversation} ORDER BY seq DESC LIMIT 1), 0)`;
}

/** SQL for the position of the newest entry; 0 if there is none. */
export const lastPosition = "(SELECT coalesce(max(position), 0) FROM entries)";

/**
 * SQL for the number of the last commit. It rises with each commit that changes something: an append adds a position,
 * and a group with operations adds one to `group_number`.
 */
export const commitNumber = `(SELECT group_number + ${lastPosition} FROM server)`;

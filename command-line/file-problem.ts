// Why a file cannot be used, in a person's words.

/** What Node's error says, without its code, the system call and the path: "no such file or directory". */
export function fileProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^E[A-Z\d]+: /, "").replace(/, [a-z]+(?: '.*')?$/s, "");
}

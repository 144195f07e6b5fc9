// Shortens the errors of the file system for messages to users.

/** The message of a Node.js error without code, system call and path, such as "no such file or directory". */
export function fileProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^E[A-Z\d]+: /, "").replace(/, [a-z]+(?: '.*')?$/s, "");
}

/** The same message, but after the path that the error names: "/srv/users.txt: no such file or directory". */
export function fileProblemWithPath(error: Error): string {
  return "path" in error ? `${error.path}: ${fileProblem(error)}` : error.message;
}

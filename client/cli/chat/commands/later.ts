// Commands of the original that are not there yet. They are known, so that a line meant for one is not sent by mistake:
// who writes `private luke ...` means that no server reads it.

export const later: readonly { readonly name: string; readonly usage: string }[] = [
  { name: "private", usage: "USER TEXT" },
  { name: "startprivate", usage: "USER" },
  { name: "stopprivate", usage: "USER" },
];

export function isLater(word: string): boolean {
  return later.some(({ name }) => name === word);
}

// Commands of the original that are not there yet. They are known, so that a line meant for one is not sent by mistake:
// who writes `private luke ...` means that no server reads it.

interface Later {
  readonly name: string;
  readonly usage: string;
}

export const later: readonly Later[] = [
  { name: "private", usage: "USER TEXT" },
  { name: "startprivate", usage: "USER" },
  { name: "stopprivate", usage: "USER" },
];

/** In whatever case: what is meant to be private is not to be sent over a slip. */
export function findLater(word: string): Later | undefined {
  return later.find(({ name }) => name === word.toLowerCase());
}

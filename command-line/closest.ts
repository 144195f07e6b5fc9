// Finds the name that a mistyped word most likely stands for.

/**
 * The candidate with the fewest changes from the word (the first one of several), unless they are too many for its
 * length. Case is ignored.
 */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const name = candidate.toLowerCase();
    const distance = typed.length > 1 && name.startsWith(typed) ? 0.5 : changes(typed, name);
    if (distance < bestDistance && distance <= Math.max(1, Math.floor(name.length / 2.5))) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/**
 * The number of changes from one text to the other: letters added, removed, replaced, or swapped with their neighbour.
 */
function changes(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let least = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        least = Math.min(least, at(beforeLast, j - 2) + 1);
      }
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, to.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}

/** Returns `, did you mean NAME?`, or an empty text if no candidate is close. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const meant = closest(word, candidates);
  return meant === undefined ? "" : `, did you mean ${meant}?`;
}

/** Like `suggestion`, but names all candidates if none is close. */
export function suggestionOrAll(word: string, candidates: readonly string[]): string {
  return suggestion(word, candidates) || `; expected one of ${candidates.join(", ")}`;
}

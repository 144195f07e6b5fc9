// The form of a user name by which users are searched.

/** Equal for names that differ only in case, in width, or in how accents are encoded. Accepts any text. */
export function searchKey(text: string): string {
  return text.normalize("NFKC").toLowerCase().normalize("NFKC");
}

// Mixed scripts in a name, by UTS #39: restriction level "highly restrictive" (section 5.2), and mixed numbers (5.3). It
// uses the runtime's Unicode tables, because npm has no package for these levels.

/** The scripts of UAX #31 that are recommended (table 5) or in limited use (table 7). */
const SCRIPTS = (
  "Latin Greek Cyrillic Armenian Hebrew Arabic Thaana Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada " +
  "Malayalam Sinhala Thai Lao Tibetan Myanmar Georgian Hangul Ethiopic Khmer Hiragana Katakana Bopomofo Han " +
  "Adlam Balinese Bamum Batak Canadian_Aboriginal Chakma Cham Cherokee Hanifi_Rohingya Javanese Kayah_Li Lepcha Limbu " +
  "Lisu Mandaic Meetei_Mayek Miao New_Tai_Lue Newa Nko Nyiakeng_Puachue_Hmong Ol_Chiki Osage Saurashtra Sundanese " +
  "Syloti_Nagri Syriac Tai_Le Tai_Tham Tai_Viet Tifinagh Vai Wancho Yi Mongolian"
).split(" ");

/** The scripts that are used together, with Latin letters: Japanese, Chinese, Korean. */
const TOGETHER = [
  ["Latin", "Han", "Hiragana", "Katakana"],
  ["Latin", "Han", "Bopomofo"],
  ["Latin", "Han", "Hangul"],
];

/** Made at first use, because most names are ASCII. */
let allowed: RegExp[] | undefined;

/** Whether no one script, and no customary combination, has all letters of the name; or its digits are of two kinds. */
export function mixesScripts(name: string): boolean {
  if (/^[\x00-\x7f]*$/.test(name)) return false;
  allowed ??= [...SCRIPTS.map((script) => [script]), ...TOGETHER].map(
    (scripts) =>
      new RegExp(
        `^[\\p{scx=Common}\\p{scx=Inherited}${scripts.map((script) => `\\p{scx=${script}}`).join("")}]*$`,
        "u",
      ),
  );
  return !allowed.some((pattern) => pattern.test(name)) || new Set(zerosOf(name)).size > 1;
}

/** The zero of each digit of the text. Unicode has the digits of one kind in a row, from 0 to 9. */
function zerosOf(text: string): number[] {
  return Array.from(text.matchAll(/\p{Nd}/gu), ([digit]) => {
    let code = digit.codePointAt(0) ?? 0;
    for (let value = 0; value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - 1)); value++) code--;
    return code;
  });
}

// Recognizes passwords that are guessed first: the most common ones, simple patterns, and the user's own name.

/**
 * The most common passwords of published lists that have at least 8 characters. Entries that the rules below recognize
 * are left out.
 */
const COMMON = new Set(
  `1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qaz2wsx3edc q1w2e3r4 q1w2e3r4t5 qazwsxedc zaq12wsx zaq1zaq1 qwer1234 asdf1234 qwertyui1
  abcd1234 abc12345 a1b2c3d4 aa123456 a1234567 a12345678 123456789a 12345678a 123abc456 123qweasd 123qwe123 1234qwer
  12341234 12344321 123123123 12312312 11223344 1122334455 112233445566 121212121 10203040 147258369 159357456 159753456
  147852369 741852963 789456123 987456321 456789123 135792468 20202020 66668888 88888888a
  p@ssw0rd p@ssword passw0rd pa$$word pa$$w0rd p455w0rd passwort passwort1 kennwort motdepasse contrasena wachtwoord
  senha1234 parola1234 salasana haslo1234
  iloveyou iloveyou1 ihateyou loveyou1 lovely123 letmein1 letmein123 trustno1 changeme changeit secret123 topsecret
  welcome1 welcome123 willkommen bienvenue whatever whatever1 starwars jedimaster football baseball basketball
  volleyball softball1 hockey123 soccer123 liverpool chelsea1 arsenal1 juventus barcelona manchester
  sunshine sunflower rainbow1 butterfly princess princess1 superman batman123 spiderman ironman1 pokemon1 pikachu1
  nintendo minecraft fortnite dragon123 monkey123 tigger123 snoopy123 michael1 jennifer jessica1 michelle nicholas
  victoria samantha patricia elizabeth alexander alexandra benjamin christian jonathan stephanie danielle
  computer internet hello123 hello1234 helloworld testtest test1234 testing123 guest123 default1 master123 mustang1
  corvette ferrari1 mercedes harley123 yamaha123 samsung1 google123 facebook linkedin1 adobe123 photoshop
  admin123 admin1234 administrator root1234 rootroot superuser useruser operator1 letmeinnow access14 blahblah
  asdfasdf qweqweqwe qwertyqwerty zxczxczxc poiuytrewq lkjhgfdsa mnbvcxz1 michaeljordan babygirl babygirl1 pa55word
  september november december february midnight whiskey1 chocolate cheese123 cookie123 pineapple strawberry snowball
  parley123 parleyparley`.split(/\s+/),
);

/** Rows of keys and of the alphabet. A part of one, in either direction, is easy to guess. */
const ROWS = [
  "01234567890",
  "abcdefghijklmnopqrstuvwxyz",
  "qwertyuiop[]",
  "qwertzuiopü+",
  "azertyuiop",
  "asdfghjkl;'",
  "qsdfghjklm",
  "zxcvbnm,./",
  "yxcvbnm,.-",
  "1qaz2wsx3edc4rfv5tgb",
].flatMap((row) => [row, [...row].reverse().join("")]);

/** Words that are common with a few digits or signs around them. */
const WORDS = new Set(
  "password passwort iloveyou welcome letmein qwerty qwertz azerty admin dragon monkey sunshine princess football".split(
    " ",
  ),
);

/** The most characters around a name or a word that do not make it harder to guess. */
const AROUND = 4;

/** Why the password is easy to guess, as a sentence for the user that says what to do; undefined if it is not known to be. */
export function easyToGuess(password: string, username: string): string | undefined {
  const folded = fold(password);
  if (isAround(folded, fold(username))) {
    return "A password must not be your user name, with or without a few characters around it. Choose another.";
  }
  const core = folded.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, "");
  const isWord = WORDS.has(core) && folded.length - core.length <= AROUND;
  if (COMMON.has(folded) || isWord || isPattern(folded)) {
    return "This password is among those that are guessed first. Choose another, such as four words that do not belong together.";
  }
  return undefined;
}

function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

/** Whether the password is the name, once or twice, with at most a few characters around it. */
function isAround(password: string, name: string): boolean {
  return (password.includes(name) && password.length - name.length <= AROUND) || password === name.repeat(2);
}

/** At most two different characters, a part of a row, or the same few characters again and again. */
function isPattern(password: string): boolean {
  if (new Set(password).size <= 2) return true;
  if (ROWS.some((row) => row.includes(password) || `${row}${row}`.includes(password))) return true;
  return /^(.{1,3})\1+$/u.test(password);
}

/**
 * The vocabulary of the model, in the SentencePiece kind that llama.cpp calls "llama".
 *
 * Text that the model writes consists of whole words and punctuation only, and those tokenize back to the same tokens:
 * a word is reached by joining its letters from the left ("▁t", "▁th", "▁the"), every prefix is a piece, and no other
 * join exists. So the number of tokens generated can be checked by tokenizing the answer.
 */

const WORDS =
  "the of and a to in is you that it he was for on are as with his they I at be this have from or one had by word but " +
  "not what all were we when your can said there use an each which she do how their if will up other about out many " +
  "then them these so some her would make like him into time has look two more write go see number no way could " +
  "people my than first water been call who oil its now find long down day did get come made may part";
const PUNCTUATION = [".", ",", "?"];
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/** How SentencePiece writes a space. */
const SPACE = "\u2581";

/** The kinds of token, with the numbers the format gives them. */
const KIND = /** @type {const} */ ({ normal: 1, unknown: 2, control: 3, byte: 6 });

/** The roles that the chat template knows. Each is one control token. */
export const ROLES = ["system", "user", "assistant"];

/** @param {string} role */
export const roleMarker = (role) => `<|${role}|>`;

/** The template in the model file, for tools that read it. `prompt.mjs` does the same in code. */
export const CHAT_TEMPLATE =
  "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}{% endfor %}" +
  "{% if add_generation_prompt %}<|assistant|>{% endif %}";

/**
 * @typedef {{ text: string, score: number, kind: number, writable: boolean }} Piece `writable`: the model may generate it.
 * @typedef {{ pieces: readonly Piece[], unknown: number, begin: number, end: number }} Vocabulary
 */

/** @returns {Vocabulary} */
export function createVocabulary() {
  const words = new Set(WORDS.split(" ").map((word) => SPACE + word));
  const prefixes = new Set([...words].flatMap((word) => [...word].map((_, index) => word.slice(0, index + 1))));
  // Scores fall with length, so that a shorter join is never put off for a longer one.
  const joins = [...prefixes].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const control = ["<s>", "</s>", ...ROLES.map(roleMarker)];

  /** @type {Piece[]} */
  const pieces = [
    { text: "<unk>", score: 0, kind: KIND.unknown, writable: false },
    ...control.map((text) => ({ text, score: 0, kind: KIND.control, writable: false })),
    // Any text that has no piece falls back to its UTF-8 bytes.
    ...Array.from({ length: 256 }, (_, byte) => ({
      text: `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
      score: 0,
      kind: KIND.byte,
      writable: false,
    })),
    ...[...LETTERS, ...PUNCTUATION, ...joins].map((text, rank) => ({
      text,
      score: -rank,
      kind: KIND.normal,
      writable: words.has(text) || PUNCTUATION.includes(text),
    })),
  ];
  const indexOf = (/** @type {string} */ text) => pieces.findIndex((piece) => piece.text === text);
  return { pieces, unknown: 0, begin: indexOf("<s>"), end: indexOf("</s>") };
}

/**
 * What a text is like, without the text: a few numbers, counted while it passes. Of the text itself
 * at most a word that a chunk has cut in two is kept, and the beginning, for its language.
 */
import { detect } from "tinyld/light";

/** Of longer texts the beginning is described. */
const CHARS_MAX = 100_000;
/** Enough to tell a language by. */
const SAMPLE_CHARS = 300;
/** A longer run of letters is no word that anybody has cut in two. */
const CARRY_MAX = 64;
const JSON_CHARS_MAX = 65_536;
const WORD = /\p{L}[\p{L}\p{M}\p{N}]*(?:['’-][\p{L}\p{N}]+)*/gu;
const SENTENCE_END = /[.!?…。！？]+(?=\s|$)/gu;
const CUT_WORD = /[\p{L}\p{M}\p{N}'’-]+$/u;
/** How models say that they will not answer; apps may add their own. */
const REFUSALS = [
  "i can't help",
  "i can’t help",
  "i cannot help",
  "i can't assist",
  "i can’t assist",
  "i cannot assist",
  "i'm unable to",
  "i’m unable to",
  "i am unable to",
  "i'm sorry, but",
  "i’m sorry, but",
  "as an ai",
];
/** Longer than any of them by default; what a chunk has cut in two is still found. */
const REFUSAL_OVERLAP = 64;

/** Numbers and categories that a text is described by. */
export interface TextDescriptors {
  readonly chars: number;
  readonly words: number;
  readonly sentences: number;
  /** Means; undefined for a text without words. */
  readonly wordLength: number | undefined;
  readonly sentenceWords: number | undefined;
  /** Share of words that are not in the reference vocabulary, where there is one. */
  readonly unknownShare: number | undefined;
  /** ISO 639-1; undefined when the text is too short to tell. */
  readonly language: string | undefined;
  readonly refusal: boolean;
  /** Of a text that begins like a JSON object or array: whether it is one. */
  readonly json: boolean | undefined;
}

/** Describes one text, whole or in parts. */
export class TextDescriber {
  private readonly vocabulary: ReadonlySet<string> | undefined;
  private readonly refusals: readonly string[];
  private chars = 0;
  private words = 0;
  private letters = 0;
  private unknown = 0;
  private sentences = 0;
  private carry = "";
  private tail = "";
  private sample = "";
  private refused = false;
  private json: string | undefined;
  private endsSentence = true;

  constructor(vocabulary?: ReadonlySet<string>, refusals: readonly string[] = []) {
    this.vocabulary = vocabulary;
    this.refusals = [...REFUSALS, ...refusals.map((marker) => marker.toLowerCase())];
  }

  /** Describes the next part. */
  add(part: string): void {
    const room = CHARS_MAX - this.chars;
    if (room <= 0 || part === "") return;
    const text = part.slice(0, room);
    if (this.chars === 0 && /^\s*[[{]/.test(text)) this.json = "";
    if (this.json !== undefined && this.json.length < JSON_CHARS_MAX) this.json += text;
    if (this.sample.length < SAMPLE_CHARS) {
      this.sample += text.slice(0, SAMPLE_CHARS - this.sample.length);
    }
    this.chars += text.length;
    this.lookForRefusal(text);
    const joined = this.carry + text;
    const cut = CUT_WORD.exec(joined)?.[0] ?? "";
    this.carry = cut.length <= CARRY_MAX ? cut : "";
    this.count(joined.slice(0, joined.length - this.carry.length));
  }

  /** What it is like; nothing may be added afterwards. */
  finish(): TextDescriptors {
    this.count(this.carry);
    this.carry = "";
    const { chars, words } = this;
    const sentences = this.sentences + (this.endsSentence ? 0 : 1);
    return {
      chars,
      words,
      sentences,
      wordLength: words === 0 ? undefined : this.letters / words,
      sentenceWords: words === 0 ? undefined : words / Math.max(1, sentences),
      unknownShare: this.vocabulary === undefined || words === 0 ? undefined : this.unknown / words,
      language: detect(this.sample) || undefined,
      refusal: this.refused,
      json: this.json === undefined ? undefined : isJson(this.json),
    };
  }

  private count(text: string): void {
    for (const [word] of text.matchAll(WORD)) {
      this.words++;
      this.letters += word.length;
      if (this.vocabulary !== undefined && !this.vocabulary.has(word.toLowerCase())) this.unknown++;
    }
    let end = 0;
    for (const match of text.matchAll(SENTENCE_END)) {
      this.sentences++;
      end = match.index + match[0].length;
    }
    if (/[\p{L}\p{N}]/u.test(text.slice(end))) this.endsSentence = false;
    else if (end > 0) this.endsSentence = true;
  }

  private lookForRefusal(text: string): void {
    if (this.refused) return;
    const window = this.tail + text.toLowerCase();
    this.refused = this.refusals.some((marker) => window.includes(marker));
    this.tail = window.slice(-REFUSAL_OVERLAP);
  }
}

function isJson(text: string): boolean {
  if (text.length >= JSON_CHARS_MAX) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** How wide words are, so that Vega leaves room for them without a browser or a drawing library at hand. */

import * as vega from "vega";

/** Advance widths of Inter Regular in hundredths of the font's size, for the characters 32 to 126. */
const WIDTHS = (
  "28 29 47 63 64 98 64 30 36 36 50 66 29 46 29 36 63 41 61 62 65 59 62 57 62 62 29 30 66 66 66 51 " +
  "97 69 65 73 72 60 59 75 74 27 57 67 57 90 75 76 64 76 64 64 65 74 69 99 68 68 63 36 36 36 47 46 " +
  "32 56 61 57 61 58 37 61 59 24 24 55 24 88 59 60 61 61 38 53 33 59 56 82 55 56 55 43 33 43 66"
)
  .split(" ")
  .map(Number);
const OTHER = 65;
/** A reader's own font may be wider than Inter: DejaVu Sans, on a bare Linux, by this much. */
const WIDEST = 1.14;

interface TextMetrics {
  width: (item: { fontSize?: number }, text: unknown) => number;
}

export function width(text: string, size: number): number {
  let sum = 0;
  for (const character of text) {
    sum += WIDTHS[(character.codePointAt(0) ?? 0) - 32] ?? OTHER;
  }
  return (sum * size) / 100;
}

/** The width that words may take in whatever font a reader has. */
export function roomFor(text: string, size: number): number {
  return WIDEST * width(text, size);
}

/** Have Vega measure with these widths from now on. Its own guess, 0.8 of the size a letter, cuts labels short. */
export function install(): void {
  // Exported, and missing in Vega's types.
  const { textMetrics } = vega as unknown as { textMetrics: TextMetrics };
  textMetrics.width = (item, text) => (text == null ? 0 : roomFor(String(text), item.fontSize ?? 11));
}

/** A report's picture: headline facts and charts on one sheet, as PNG, for places that show no pages. */

import { createRequire } from "node:module";

import { Resvg } from "@resvg/resvg-js";

import { WIDE } from "./chart.ts";
import { width } from "./measure.ts";
import { type Drawn, escape } from "./page.ts";
import type { Report } from "./report.ts";
import { CARD, INK, LINE, PAPER, PICTURE_FONT, QUIET } from "./theme.ts";

/** Bytes: it is kept in Dagster's database with every night's run. */
const MOST_BYTES = 200_000;
const SCALES = [1, 0.8, 0.6, 0.4];
const MARGIN = 40;
const GAP = 56;
const SHEET = 2 * WIDE + GAP + 2 * MARGIN;
const FACT_HEIGHT = 74;
// A machine may have no font at all, so both come with the packages.
const FONTS = ["400Regular/Inter_400Regular.ttf", "600SemiBold/Inter_600SemiBold.ttf"].map((file) =>
  createRequire(import.meta.url).resolve(`@expo-google-fonts/inter/${file}`),
);

/** PNG of at most MOST_BYTES: of half the size of a page's charts, smaller where a report is long. */
export function picture(report: Report, drawn: Drawn[]): Buffer {
  const svg = sheet(report, drawn);
  let png: Buffer | undefined;
  for (const scale of SCALES) {
    const options = {
      background: PAPER,
      fitTo: { mode: "width" as const, value: Math.round(SHEET * 0.75 * scale) },
      font: { fontFiles: FONTS, loadSystemFonts: false, defaultFontFamily: PICTURE_FONT },
    };
    png = new Resvg(svg, options).render().asPng();
    if (png.length <= MOST_BYTES) {
      break;
    }
  }
  return png as Buffer;
}

/** The sheet as SVG: title, facts in rows, charts in two columns, each into the shorter one. */
export function sheet(report: Report, drawn: Drawn[]): string {
  const parts = [
    text(report.title, MARGIN, 62, 34, INK, 600),
    text(report.subtitle, MARGIN, 98, 19, QUIET, 400, SHEET - 2 * MARGIN),
  ];
  const columns = Math.max(1, Math.min(report.facts.length, 8));
  const wide = (SHEET - 2 * MARGIN - 12 * (columns - 1)) / columns;
  report.facts.forEach((fact, at) => {
    const x = MARGIN + (at % columns) * (wide + 12);
    parts.push(tile(fact, x, 126 + Math.floor(at / columns) * (FACT_HEIGHT + 12), wide));
  });
  const top = 126 + Math.ceil(report.facts.length / columns) * (FACT_HEIGHT + 12) + 30;
  const bottoms: [number, number] = [top, top];
  for (const { section, wide: svg } of drawn) {
    if (svg !== null) {
      const column = bottoms[0] <= bottoms[1] ? 0 : 1;
      const x = MARGIN + column * (WIDE + GAP);
      const height = size(svg);
      parts.push(text(section.title, x, bottoms[column] + 20, 20, INK, 600, WIDE));
      parts.push(svg.replace(/<svg[^>]*>/, (tag) => placed(tag, x, bottoms[column] + 36)));
      bottoms[column] += height + 36 + GAP;
    }
  }
  const height = Math.max(...bottoms);
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${SHEET}" \
height="${height}" viewBox="0 0 ${SHEET} ${height}">${parts.join("")}</svg>`;
}

function tile([label, value]: [string, string], x: number, y: number, wide: number): string {
  const room = wide - 28;
  const largest = Math.min(24, (24 * room) / width(value, 24));
  return (
    `<rect x="${x}" y="${y}" width="${wide}" height="${FACT_HEIGHT}" rx="8" fill="${CARD}" stroke="${LINE}"/>` +
    text(value, x + 14, y + 34, largest, INK, 600) +
    text(label, x + 14, y + 58, 14, QUIET, 400, room)
  );
}

/** One line of text, cut where it has no room. */
function text(content: string, x: number, y: number, size: number, fill: string, weight: number, room = Infinity): string {
  let shown = content;
  // Semi-bold letters are up to a tenth wider than what is measured.
  while (width(shown, size) * (weight > 400 ? 1.08 : 1) > room && shown.length > 1) {
    shown = `${shown.slice(0, -2).trimEnd()}…`;
  }
  return (
    `<text x="${x}" y="${y}" font-family="${PICTURE_FONT}" font-size="${size}" font-weight="${weight}" ` +
    `fill="${fill}">${escape(shown)}</text>`
  );
}

function size(svg: string): number {
  return Number(/<svg[^>]* height="([\d.]+)"/.exec(svg)?.[1] ?? 0);
}

function placed(tag: string, x: number, y: number): string {
  return tag.replace("<svg", `<svg x="${x}" y="${y}"`);
}

/** A report as one HTML file that needs nothing else: its style and its charts are in it, and it may load nothing. */

import { createHash } from "node:crypto";

import { draw, NARROW, type Tell, WIDE } from "./chart.ts";
import type { Cell, Column, Report, Row, Section } from "./report.ts";
import { STYLE } from "./style.ts";

const NUMBER = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

export interface Drawn {
  section: Section;
  /** SVG for a wide page and for a phone; null where there is no chart, or nothing to draw. */
  wide: string | null;
  narrow: string | null;
}

/** Draw every section's chart. Throws an error that names the section. */
export async function drawAll(report: Report, tell: Tell): Promise<Drawn[]> {
  return Promise.all(
    report.sections.map(async (section) => {
      if (section.chart === null || section.rows.length === 0) {
        return { section, wide: null, narrow: null };
      }
      const [wide, narrow] = await Promise.all([draw(section, WIDE, tell), draw(section, NARROW, () => {})]);
      return { section, wide, narrow };
    }),
  );
}

export function page(report: Report, drawn: Drawn[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${escape(report.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escape(report.title)}</h1>
<p class="subtitle">${escape(report.subtitle)}</p>
${facts(report)}
${contents(report)}
</header>
<main>
${drawn.map((part) => section(part, report.studyUrl)).join("\n")}
</main>
<footer>${escape(report.footer)}</footer>
</body>
</html>
`;
}

/** Nothing may be loaded or run, and no style but the page's own counts: not even text that slipped in could do harm. */
function policy(): string {
  const style = createHash("sha256").update(STYLE).digest("base64");
  return `default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; form-action 'none'`;
}

function facts(report: Report): string {
  const cells = report.facts.map(([label, value]) => {
    const words = /^[\d.,]+$/.test(value) ? "" : ` class="words"`;
    return `<div><dt>${escape(label)}</dt><dd${words}>${escape(value)}</dd></div>`;
  });
  return cells.length === 0 ? "" : `<dl class="facts">${cells.join("")}</dl>`;
}

function contents(report: Report): string {
  const links = report.sections.map((one) => `<li><a href="#${escape(one.name)}">${escape(one.title)}</a></li>`);
  return links.length < 3 ? "" : `<nav aria-label="Contents"><ul>${links.join("")}</ul></nav>`;
}

function section({ section: about, wide, narrow }: Drawn, studyUrl: string | null): string {
  const heading = `${about.name}-title`;
  const note = about.note === "" ? "" : `<p class="note">${escape(about.note)}</p>\n`;
  const said = about.shown === null ? `<p class="empty">${escape(about.empty)}</p>` : figure(about, wide, narrow);
  return `<section id="${escape(about.name)}" aria-labelledby="${escape(heading)}">
<div class="together">
<h2 id="${escape(heading)}">${escape(about.title)}</h2>
${note}${said}</div>
${about.shown === null ? "" : shownTable(about, wide !== null, studyUrl)}</section>`;
}

function figure(about: Section, wide: string | null, narrow: string | null): string {
  if (wide === null || narrow === null) {
    return "";
  }
  return `<figure>${inline(wide, "wide", about)}${inline(narrow, "narrow", about)}</figure>\n`;
}

/** The drawing as an element of the page: scaled by its box, one picture with one description to a screen reader. */
function inline(svg: string, kind: string, about: Section): string {
  const viewBox = /viewBox="[^"]*"/.exec(svg)?.[0] ?? "";
  const label = `role="img" aria-label="${escape(about.alt)}"`;
  return svg.replace(/<svg[^>]*>/, `<svg class="chart ${kind}" ${viewBox} ${label}>`);
}

function shownTable(about: Section, underChart: boolean, studyUrl: string | null): string {
  const { columns, rows } = about.shown as NonNullable<Section["shown"]>;
  const html = table(about.title, columns, rows, studyUrl);
  if (!underChart) {
    return html;
  }
  return `<details><summary>The numbers as a table</summary>\n${html}</details>`;
}

function table(title: string, columns: Column[], rows: Row[], studyUrl: string | null): string {
  const head = columns.map((column) => `<th scope="col"${align(column)}>${escape(column.heading)}</th>`).join("");
  const body = rows.map((row) => `<tr>${columns.map((column, at) => cell(column, row, at, studyUrl)).join("")}</tr>`);
  return `<table><caption>${escape(title)}</caption><thead><tr>${head}</tr></thead>
<tbody>
${body.join("\n")}
</tbody></table>\n`;
}

function cell(column: Column, row: Row, at: number, studyUrl: string | null): string {
  const value = row[column.name] ?? null;
  const content = column.name === "nct_id" ? trial(value, studyUrl) : escape(shown(value));
  if (at === 0) {
    return `<th scope="row"${align(column)}>${content}</th>`;
  }
  return `<td${align(column)} data-label="${escape(column.heading)}"><span>${content}</span></td>`;
}

function trial(value: Cell, studyUrl: string | null): string {
  const number = escape(shown(value));
  return studyUrl === null || value === null
    ? number
    : `<a href="${escape(studyUrl.replace("{}", encodeURIComponent(String(value))))}">${number}</a>`;
}

function align(column: Column): string {
  return column.numeric ? ` class="n"` : "";
}

function shown(value: Cell): string {
  if (value === null) {
    return "–";
  }
  return typeof value === "number" ? NUMBER.format(value) : String(value);
}

export function escape(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}

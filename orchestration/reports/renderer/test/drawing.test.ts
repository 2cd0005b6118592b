import assert from "node:assert/strict";
import { test } from "node:test";

import { draw, NARROW, WIDE } from "../src/chart.ts";
import { width } from "../src/measure.ts";
import { drawAll, escape, page } from "../src/page.ts";
import { picture, sheet } from "../src/picture.ts";
import type { Report, Section } from "../src/report.ts";
import { DARK } from "../src/theme.ts";

const SECTION: Section = {
  name: "phases",
  title: "Phases & <areas>",
  note: "Of “open” trials",
  empty: "Nothing.",
  alt: "Bars of trials",
  chart: {
    mark: "bar",
    height: { step: 20 },
    encoding: {
      y: { field: "area", type: "nominal", sort: null, title: null },
      x: { field: "trials", type: "quantitative" },
      color: { field: "phase", type: "ordinal" },
    },
  },
  rows: [
    { area: "Oncology", phase: "Phase 1", trials: 3 },
    { area: "Oncology", phase: "Phase 2", trials: 1234.5 },
    { area: "Neurology", phase: "Phase 2", trials: 2 },
  ],
  shown: {
    columns: [
      { name: "nct_id", heading: "Trial", numeric: false },
      { name: "trials", heading: "Trials", numeric: true },
    ],
    rows: [{ nct_id: "NCT1", trials: 1234.5 }, { nct_id: `<script>"`, trials: null }],
  },
};
const EMPTY: Section = { ...SECTION, name: "empty", rows: [], shown: null };
const REPORT: Report = {
  title: "Brief",
  subtitle: "All & sundry",
  facts: [["Trials", "1,200"], ["Registry as of", "1 Jun 2026"]],
  footer: "Made here",
  studyUrl: "https://example.org/{}",
  sections: [SECTION, EMPTY, { ...SECTION, name: "plain", chart: null }],
};

const silent = (): void => {};

test("a chart is as wide as asked for, and its ids are its own", async () => {
  for (const wanted of [WIDE, NARROW]) {
    const svg = await draw(SECTION, wanted, silent);
    assert.match(svg, new RegExp(`^<svg[^>]* viewBox="0 0 ${wanted} \\d+"`));
    for (const [, id] of svg.matchAll(/\bid="([^"]+)"/g)) {
      assert.match(id ?? "", new RegExp(`^phases-${wanted}-`));
    }
  }
});

test("every colour of a chart has one for dark pages", async () => {
  const svg = await draw(SECTION, WIDE, silent);
  const used = new Set([...svg.matchAll(/(?:fill|stroke)="(#[^"]+)"/g)].map(([, colour]) => colour));
  assert.ok(used.size >= 4);
  assert.deepEqual([...used].filter((colour) => !(colour as string in DARK)), []);
  assert.equal(new Set(Object.values(DARK)).size, Object.keys(DARK).length);
});

test("a chart that is wrong names its section; one that would load something is refused", async () => {
  await assert.rejects(draw({ ...SECTION, chart: { mark: "nothing" } }, WIDE, silent), /section phases/);
  const image = { mark: "image", encoding: { url: { value: "https://example.org/a.png" } } };
  const svg = await draw({ ...SECTION, chart: image }, WIDE, silent).catch(() => "");
  assert.doesNotMatch(svg, /example\.org/);
});

test("a chart that Vega doubts is told of", async () => {
  const told: string[] = [];
  const chart = { mark: "bar", encoding: { x: { field: "trials", type: "quantitative" }, shape: { field: "phase" } } };
  await draw({ ...SECTION, chart }, WIDE, (warning) => told.push(warning));
  assert.match(told.join(), /section phases: .*shape/);
});

test("a page holds each chart twice, tables for all, and words where there is nothing", async () => {
  const html = page(REPORT, await drawAll(REPORT, silent));
  assert.equal(html.match(/<svg class="chart wide"/g)?.length, 1);
  assert.equal(html.match(/<svg class="chart narrow"/g)?.length, 1);
  assert.equal(html.match(/<table>/g)?.length, 2);
  assert.equal(html.match(/<details>/g)?.length, 1);
  assert.match(html, /<p class="empty">Nothing\.<\/p>/);
  assert.match(html, /role="img" aria-label="Bars of trials"/);
  assert.match(html, /<td class="n" data-label="Trials"><span>1,234\.5<\/span>/);
  assert.match(html, /<a href="https:\/\/example\.org\/NCT1">NCT1<\/a>/);
});

test("a page may load nothing, and text in it is text", async () => {
  const html = page(REPORT, await drawAll(REPORT, silent));
  assert.match(html, /Content-Security-Policy" content="default-src 'none'; style-src 'sha256-/);
  assert.doesNotMatch(html, /<script|<link|<img|\ssrc=|@import|url\((?!#)|xlink/i);
  assert.match(html, /Phases &amp; &lt;areas&gt;/);
  assert.equal(escape(`<a href='x'>"&`), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
});

test("no trial is linked where there is nothing to link to", async () => {
  const report = { ...REPORT, studyUrl: null };
  assert.doesNotMatch(page(report, await drawAll(report, silent)), /<a href="(?!#)/);
});

test("the picture is a PNG that holds words, facts and charts, of a size to keep", async () => {
  const drawn = await drawAll(REPORT, silent);
  const svg = sheet(REPORT, drawn);
  assert.match(svg, /1 Jun 2026/);
  assert.equal(svg.match(/<svg /g)?.length, 2);
  const png = picture(REPORT, drawn);
  assert.equal(png.subarray(1, 4).toString(), "PNG");
  assert.ok(png.length > 5_000 && png.length < 200_000, `${png.length} bytes`);
  const blank = picture({ ...REPORT, title: "", subtitle: "", facts: [["", ""], ["", ""]] }, drawn);
  assert.ok(blank.length < png.length - 1_000, "letters are drawn: a font was found");
});

test("words are measured by their letters", () => {
  assert.ok(width("WWW", 10) > 2 * width("iii", 10));
  assert.equal(width("a", 100), 56);
});

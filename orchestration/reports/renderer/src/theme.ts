/**
 * Colours and type of pages and charts.
 *
 * Charts are drawn once, in the light colours. A page turns them into its own by CSS, whose rules win over an SVG's
 * attributes; so one drawing serves light, dark and print. Each colour here is therefore used for one thing only.
 */

import type { Config } from "vega-lite";

export const FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
export const PICTURE_FONT = "Inter";

/** What each colour is on a dark page. */
export const DARK = {
  // paper, card, lines, quiet words, words, accent
  "#ffffff": "#12171c",
  "#f4f7f9": "#1b2229",
  "#dde4ea": "#323c46",
  "#526070": "#a3b0bc",
  "#17212b": "#e8edf1",
  "#0b6b94": "#6cc3e6",
  // categories
  "#2f6fb3": "#6ba7ea",
  "#d9822b": "#f0a559",
  "#1c9a8b": "#4dcab8",
  "#c94f5d": "#f08792",
  "#7c5cbf": "#ab90ea",
  "#8f9d2c": "#c0cf5f",
  "#c76aa8": "#e69fce",
  "#8a949e": "#7d8893",
  // steps of an order, the first for what is outside of it
  "#b7c0c9": "#5b6670",
  "#c8e3ea": "#1f4858",
  "#97cbd9": "#2a657c",
  "#62afc6": "#37829e",
  "#3891b0": "#4ba0bf",
  "#1f7396": "#6cbad6",
  "#145678": "#95d3e9",
  "#0b3a57": "#c5edfa",
} as const;

const COLOURS = Object.keys(DARK) as (keyof typeof DARK)[];
export const PAPER = "#ffffff";
export const CARD = "#f4f7f9";
export const LINE = "#dde4ea";
export const QUIET = "#526070";
export const INK = "#17212b";
export const ACCENT = "#0b6b94";
export const CATEGORIES = COLOURS.slice(6, 14);
export const STEPS = COLOURS.slice(14);

/** How high a row of a chart is on a phone, where its label stands above its bar and not beside it. */
export const NARROW_STEP = 40;
const NARROW_BAR = 0.45;

/** On a phone there is no room beside the bars: each takes the lower part of its row, its label the upper one. */
const LABELS_ABOVE: Config = {
  axisYBand: {
    labelAlign: "left",
    labelBaseline: "bottom",
    labelLimit: 330,
    labelOffset: (-NARROW_STEP * NARROW_BAR) / 2 - 2,
    labelPadding: -1,
    ticks: false,
    domain: false,
  },
  scale: { bandPaddingInner: 1 - NARROW_BAR, bandPaddingOuter: 0.5 },
};

/** A legend begins at the left edge of the whole chart, labels included. Vega's own setting: Vega-Lite knows it not. */
export const LEGEND_LAYOUT = { anchor: "start", frame: "bounds" } as const;

/** Vega-Lite's defaults for all charts; `narrow` for phones, `rows` where the chart is one of rows. */
export function chartConfig(narrow: boolean, rows: boolean): Config {
  return {
    ...(narrow && rows ? LABELS_ABOVE : {}),
    background: "transparent",
    // The page puts its own in the place of it (style.ts); the picture has this one.
    font: PICTURE_FONT,
    padding: { left: 2, right: 8, top: 2, bottom: 2 },
    // Marks are not read out one by one: the chart has one description, and its numbers stand in the table.
    aria: false,
    view: { stroke: null },
    axis: {
      labelColor: QUIET,
      labelFontSize: 12,
      labelLimit: 260,
      titleColor: QUIET,
      titleFontSize: 12,
      titleFontWeight: 400,
      gridColor: LINE,
      domainColor: LINE,
      tickColor: LINE,
    },
    axisQuantitative: { tickCount: narrow ? 4 : 7, domain: false, ticks: false },
    axisY: { labelPadding: 6 },
    legend: {
      orient: "top",
      direction: "horizontal",
      labelColor: QUIET,
      labelFontSize: 12,
      labelLimit: 200,
      symbolType: "square",
      symbolSize: 110,
      symbolStrokeWidth: 0,
      columnPadding: 14,
      title: null,
    },
    header: { labelColor: INK, labelFontSize: 12, title: null },
    range: { category: CATEGORIES, ordinal: STEPS, ramp: STEPS.slice(1), heatmap: STEPS.slice(1) },
    mark: { color: ACCENT },
    bar: { color: ACCENT, binSpacing: 1 },
    text: { color: INK, fontSize: 12 },
    rule: { color: QUIET },
    line: { strokeWidth: 2 },
    point: { size: 60, filled: true },
  };
}

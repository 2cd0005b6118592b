/** A section's chart as SVG: Vega-Lite with the section's rows, once for a wide page and once for a phone. */

import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

import { install, roomFor } from "./measure.ts";
import type { Section } from "./report.ts";
import { chartConfig, LEGEND_LAYOUT, NARROW_STEP } from "./theme.ts";

export const WIDE = 720;
export const NARROW = 336;
const LEGEND_SIZE = 12;
/** Pixels beside a legend's label: its symbol and the space to the next one. */
const LEGEND_SYMBOL = 32;

install();

/** Refuses to load anything: a report is drawn from what it is given. */
const LOADER = {
  load: (uri: string) => Promise.reject(new Error(`a chart may load nothing, and this one wants ${uri}`)),
  sanitize: (uri: string) => Promise.reject(new Error(`a chart may point nowhere, and this one points to ${uri}`)),
  http: () => Promise.reject(new Error("a chart may load nothing")),
  file: () => Promise.reject(new Error("a chart may load nothing")),
};

export type Tell = (warning: string) => void;

/** The SVG of a section that has a chart and rows. Throws an error that names the section. */
export async function draw(section: Section, width: number, tell: Tell): Promise<string> {
  try {
    const log = logger((warning) => tell(`section ${section.name}: ${warning}`));
    const view = new vega.View(vega.parse(specification(section, width, log)), {
      renderer: "none",
      loader: LOADER as unknown as vega.Loader,
      logger: log,
    });
    const svg = await view.toSVG();
    view.finalize();
    return own(svg, `${section.name}-${width}`);
  } catch (error) {
    throw new Error(`the chart of section ${section.name} cannot be drawn`, { cause: error });
  }
}

function specification(section: Section, width: number, logger: vega.LoggerInterface): vega.Spec {
  const chart = section.chart as Chart;
  const narrow = width < WIDE;
  const single = "mark" in chart || "layer" in chart;
  const sized = single ? { width, autosize: { type: "fit-x", contains: "padding" } } : {};
  const ofRows = typeof chart.height === "object";
  const rows = narrow && ofRows ? { height: { step: NARROW_STEP } } : {};
  const config = chartConfig(narrow, ofRows);
  config.legend = { ...config.legend, columns: legendColumns(section, width) };
  const spec = { ...sized, ...chart, ...rows, data: { values: section.rows } } as unknown as TopLevelSpec;
  const compiled = compile(spec, { config, logger }).spec as vega.Spec & { config: { legend?: object } };
  compiled.config.legend = { ...compiled.config.legend, layout: LEGEND_LAYOUT };
  return compiled;
}

interface Chart {
  height?: number | { step: number };
  encoding?: { color?: { field?: string; scale?: { domain?: string[] } } };
}

/** As many entries beside one another as the longest has room for. */
function legendColumns(section: Section, width: number): number {
  const color = (section.chart as Chart).encoding?.color;
  const shown = color?.scale?.domain ?? section.rows.map((row) => row[color?.field ?? ""]);
  const longest = Math.max(0, ...shown.map((label) => roomFor(String(label ?? ""), LEGEND_SIZE)));
  return Math.max(1, Math.floor(width / (longest + LEGEND_SYMBOL)));
}

/** Vega goes on after a warning with something else than was asked for: whoever wrote the chart is told. */
function logger(tell: Tell): vega.LoggerInterface {
  const own: vega.LoggerInterface = {
    level: (() => own) as vega.LoggerInterface["level"],
    error: (...words) => {
      throw new Error(words.map(String).join(" "));
    },
    warn: (...words) => {
      const message = words.map(String).join(" ");
      // Said of every chart whose height is a number of rows, whose width alone is to fit.
      if (!message.startsWith('Dropping "fit-y"')) {
        tell(message);
      }
      return own;
    },
    info: () => own,
    debug: () => own,
  };
  return own;
}

/** Prefix the drawing's ids: all drawings of a page share one name space. */
function own(svg: string, prefix: string): string {
  return svg.replace(/\bid="([^"]+)"/g, `id="${prefix}-$1"`).replace(/url\(#([^)]+)\)/g, `url(#${prefix}-$1)`);
}

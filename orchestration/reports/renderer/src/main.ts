/** Draws one report: Dagster starts this through Pipes, with the report and the files to write as extras. */

import { renameSync, writeFileSync } from "node:fs";

import { drawAll, page } from "./page.ts";
import { picture } from "./picture.ts";
import { Pipes } from "./pipes.ts";
import type { Report } from "./report.ts";

async function main(pipes: Pipes): Promise<void> {
  const started = performance.now();
  const report = pipes.extra("report") as Report;
  const drawn = await drawAll(report, (warning) => pipes.log(warning, "WARNING"));
  const html = page(report, drawn);
  const png = picture(report, drawn);
  write(pipes.extra("page") as string, html);
  write(pipes.extra("picture") as string, png);
  const charts = drawn.filter((part) => part.wide !== null).length;
  const milliseconds = Math.round(performance.now() - started);
  pipes.log(`drew ${charts} charts in ${report.sections.length} sections: ${html.length} bytes in ${milliseconds} ms`);
  pipes.reportAssetMaterialization({
    sections: report.sections.length,
    charts,
    without_rows: report.sections.filter((section) => section.shown === null).map((section) => section.name).join(", "),
    page_bytes: Buffer.byteLength(html),
    picture_bytes: png.length,
    milliseconds,
  });
}

/** Write in one step: a reader never sees half a page. */
function write(path: string, content: string | Buffer): void {
  const draft = `${path}.${process.pid}.draft`;
  writeFileSync(draft, content);
  renameSync(draft, path);
}

const pipes = Pipes.open(process.env);
try {
  await main(pipes);
  pipes.close();
} catch (error) {
  pipes.close(error);
  process.exitCode = 1;
}

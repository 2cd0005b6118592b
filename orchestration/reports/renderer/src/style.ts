/** The page's style: one column, light or dark as the reader's system is, tables as cards on a phone, paper in print. */

import { ACCENT, CARD, DARK, FONT, INK, LINE, PAPER, QUIET } from "./theme.ts";

const ROOT = { paper: PAPER, card: CARD, line: LINE, quiet: QUIET, ink: INK, accent: ACCENT };

function variables(turn: (colour: keyof typeof DARK) => string): string {
  return Object.entries(ROOT)
    .map(([name, colour]) => `--${name}:${turn(colour as keyof typeof DARK)}`)
    .join(";");
}

/** The charts' colours on a dark page: a rule wins over the attribute that the drawing has. */
function darkCharts(): string {
  return Object.entries(DARK)
    .map(
      ([light, dark]) =>
        `.chart [fill="${light}"]{fill:${dark}}.chart [stroke="${light}"]{stroke:${dark}}`,
    )
    .join("\n");
}

export const STYLE = `
:root{color-scheme:light dark;${variables((colour) => colour)}}
@media screen and (prefers-color-scheme:dark){
:root{${variables((colour) => DARK[colour])}}
${darkCharts()}
}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 ${FONT};overflow-wrap:break-word}
main,header,footer{max-width:816px;margin:0 auto;padding:0 24px}
header{padding-top:40px}
h1{font-size:30px;line-height:1.2;letter-spacing:-.015em;margin:0 0 6px}
h2{font-size:20px;line-height:1.3;letter-spacing:-.01em;margin:0 0 4px}
.subtitle{font-size:18px;color:var(--quiet);margin:0 0 24px;max-width:62ch}
.facts{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:10px;margin:0 0 22px}
.facts div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 16px;display:flex;flex-direction:column-reverse;justify-content:flex-end}
.facts dt{font-size:13px;color:var(--quiet)}
.facts dd{margin:0;font-size:22px;line-height:1.25;font-weight:600;font-variant-numeric:tabular-nums}
.facts dd.words{font-size:15px;line-height:1.8}
nav{font-size:14px;margin:0 0 8px}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;margin:0;padding:0}
a{color:var(--accent);text-underline-offset:2px}
nav a{text-decoration:none}
nav a:hover,nav a:focus-visible{text-decoration:underline}
section{padding:26px 0 22px;border-top:1px solid var(--line);margin-top:18px}
.note{color:var(--quiet);margin:0 0 16px;max-width:68ch}
.empty{background:var(--card);border-radius:8px;padding:14px 16px;margin:0;color:var(--quiet)}
figure{margin:0 0 10px}
.chart{display:block;width:100%;height:auto;overflow:visible}
.chart text{font-family:inherit}
.narrow{display:none}
summary{cursor:pointer;font-size:14px;color:var(--accent);padding:6px 0;width:fit-content}
summary:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:2px}
table{border-collapse:collapse;width:100%;font-size:14px;line-height:1.4;margin:6px 0 0}
th,td{text-align:left;vertical-align:top;padding:6px 14px 6px 0;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--quiet);font-size:13px;vertical-align:bottom}
th:last-child,td:last-child{padding-right:0}
.n{text-align:right;font-variant-numeric:tabular-nums}
tbody th{color:var(--ink);font-size:14px;font-weight:400;vertical-align:top}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
footer{border-top:1px solid var(--line);color:var(--quiet);font-size:13px;padding-top:14px;padding-bottom:40px;margin-top:10px}
@media screen and (max-width:640px){
main,header,footer{padding-left:16px;padding-right:16px}
header{padding-top:24px}
h1{font-size:25px}
.subtitle{font-size:16px}
.facts{grid-template-columns:repeat(2,minmax(0,1fr));gap:8px}
nav{display:none}
.wide{display:none}
.narrow{display:block;max-width:420px}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,tbody,tr,th,td{display:block}
tr{padding:10px 0;border-bottom:1px solid var(--line)}
th,td,.n{padding:1px 0;border:0;text-align:left}
tbody th{font-weight:600;padding-bottom:3px}
td{display:grid;grid-template-columns:9em 1fr;gap:10px}
td::before{content:attr(data-label);color:var(--quiet);font-size:13px}
}
@page{size:A4;margin:16mm 15mm}
@media print{
:root{color-scheme:light}
body{font-size:10.5pt;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main,header,footer{max-width:none;padding:0}
nav,summary{display:none}
section{break-inside:auto;padding:12pt 0 6pt;margin-top:8pt}
h2,.note,.together,summary{break-after:avoid}
.together,tr,.facts{break-inside:avoid}
thead{display:table-header-group}
table{font-size:9pt}
details::details-content{content-visibility:visible;display:block;block-size:auto;opacity:1}
a{color:inherit;text-decoration:none}
}
`;

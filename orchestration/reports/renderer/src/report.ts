/** What is to be drawn, as `orchestration.reports.report.payload` writes it. */

export type Cell = string | number | boolean | null;
export type Row = Record<string, Cell>;

export interface Column {
  name: string;
  heading: string;
  numeric: boolean;
}

export interface Section {
  name: string;
  title: string;
  note: string;
  /** Said instead of chart and table where there are no rows. */
  empty: string;
  alt: string;
  /** A Vega-Lite specification without data. */
  chart: Record<string, unknown> | null;
  /** What the chart is drawn from. */
  rows: Row[];
  /** What the table shows. */
  shown: { columns: Column[]; rows: Row[] } | null;
}

export interface Report {
  title: string;
  subtitle: string;
  facts: [label: string, value: string][];
  footer: string;
  studyUrl: string | null;
  sections: Section[];
}

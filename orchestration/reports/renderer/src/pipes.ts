/**
 * Dagster Pipes, the side of the external program: protocol 0.1, as `dagster_pipes` for Python speaks it.
 *
 * Two variables hold parameters (JSON, deflated by zlib, in base64): where the context is to be read, and where
 * messages go, one JSON object per line. Every session begins with `opened` and ends with `closed`.
 */

import { appendFileSync, readFileSync, writeSync } from "node:fs";
import { deflateSync, inflateSync } from "node:zlib";

export const PROTOCOL_VERSION = "0.1";
export const CONTEXT_VARIABLE = "DAGSTER_PIPES_CONTEXT";
export const MESSAGES_VARIABLE = "DAGSTER_PIPES_MESSAGES";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type MetadataType =
  "__infer__" | "text" | "url" | "path" | "json" | "md" | "float" | "int" | "bool" | "null" | "timestamp";
/** A value whose type Dagster infers, or one that names its type. */
export type Metadata = Record<string, string | number | boolean | null | { type: MetadataType; raw_value: Json }>;
export type Level = "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL";
export type Severity = "WARN" | "ERROR";

export interface ContextData {
  asset_keys: string[] | null;
  partition_key: string | null;
  run_id: string;
  job_name: string | null;
  retry_number: number;
  extras: Record<string, unknown>;
}

export interface PipesException {
  message: string;
  stack: string[];
  name: string | null;
  cause: PipesException | null;
  context: PipesException | null;
}

export class PipesError extends Error {
  override name = "PipesError";
}

/** JSON, deflated, in base64: how Dagster packs parameters into a variable. */
export function encode(value: unknown): string {
  return deflateSync(JSON.stringify(value)).toString("base64");
}

export function decode(packed: string): unknown {
  return JSON.parse(inflateSync(Buffer.from(packed, "base64")).toString("utf8"));
}

/** An error as Dagster shows it: message, stack and causes. Anything else that was thrown is told as its text. */
export function asException(thrown: unknown): PipesException {
  if (!(thrown instanceof Error)) {
    return { message: String(thrown), stack: [], name: null, cause: null, context: null };
  }
  const lines = (thrown.stack ?? "").split("\n");
  const frames = lines.filter((line) => /^\s+at /.test(line)).map((line) => `${line}\n`);
  return {
    message: `${thrown.name}: ${thrown.message}`,
    stack: frames,
    name: thrown.name,
    cause: thrown.cause === undefined ? null : asException(thrown.cause),
    context: null,
  };
}

/** One session with Dagster: what it asks for, and what it is told. */
export class Pipes {
  readonly context: ContextData;
  readonly #write: (line: string) => void;
  readonly #materialized = new Set<string>();
  #closed = false;

  constructor(context: ContextData, write: (line: string) => void) {
    this.context = context;
    this.#write = write;
    this.#send("opened", { extras: {} });
  }

  /** Open the session that Dagster's variables describe. Throws PipesError where Dagster did not start this. */
  static open(environment: Record<string, string | undefined>): Pipes {
    return new Pipes(
      loadContext(parameters(environment, CONTEXT_VARIABLE)),
      writer(parameters(environment, MESSAGES_VARIABLE)),
    );
  }

  extra(name: string): unknown {
    if (!(name in this.context.extras)) {
      throw new PipesError(`Dagster gave no extra named ${name}`);
    }
    return this.context.extras[name];
  }

  log(message: string, level: Level = "INFO"): void {
    this.#send("log", { message, level });
  }

  reportAssetMaterialization(metadata: Metadata, assetKey?: string, dataVersion: string | null = null): void {
    const key = this.#assetKey(assetKey);
    if (this.#materialized.has(key)) {
      throw new PipesError(`${key} has been materialized already`);
    }
    this.#materialized.add(key);
    this.#send("report_asset_materialization", {
      asset_key: key,
      data_version: dataVersion,
      metadata: typed(metadata),
    });
  }

  reportAssetCheck(
    name: string,
    passed: boolean,
    metadata: Metadata = {},
    severity: Severity = "ERROR",
    assetKey?: string,
  ): void {
    this.#send("report_asset_check", {
      asset_key: this.#assetKey(assetKey),
      check_name: name,
      passed,
      severity,
      metadata: typed(metadata),
    });
  }

  /** End the session, with what was thrown if anything was. Only the first call counts. */
  close(thrown?: unknown): void {
    if (!this.#closed) {
      this.#send("closed", thrown === undefined ? {} : { exception: asException(thrown) });
      this.#closed = true;
    }
  }

  #assetKey(given?: string): string {
    const keys = this.context.asset_keys;
    if (given !== undefined) {
      if (keys !== null && !keys.includes(given)) {
        throw new PipesError(`this step does not make ${given}, but ${keys.join(", ")}`);
      }
      return given;
    }
    if (keys?.length !== 1) {
      throw new PipesError("name the asset: this step does not make exactly one");
    }
    return keys[0] as string;
  }

  #send(method: string, params: Record<string, unknown>): void {
    if (this.#closed) {
      throw new PipesError(`${method}: the session is closed`);
    }
    this.#write(`${JSON.stringify({ __dagster_pipes_version: PROTOCOL_VERSION, method, params })}\n`);
  }
}

function parameters(environment: Record<string, string | undefined>, name: string): Record<string, unknown> {
  const packed = environment[name];
  if (packed === undefined) {
    throw new PipesError(`${name} is not set: this program is started by Dagster`);
  }
  return decode(packed) as Record<string, unknown>;
}

function loadContext(from: Record<string, unknown>): ContextData {
  if (typeof from["path"] === "string") {
    return JSON.parse(readFileSync(from["path"], "utf8")) as ContextData;
  }
  if ("data" in from) {
    return from["data"] as ContextData;
  }
  throw new PipesError(`the context is neither in a file nor given: ${Object.keys(from).join(", ")}`);
}

/** Synchronous, so that nothing said is lost when the program ends. */
function writer(to: Record<string, unknown>): (line: string) => void {
  const path = to["path"];
  if (typeof path === "string") {
    return (line) => appendFileSync(path, line);
  }
  const stream = to["stdio"] ?? to["buffered_stdio"];
  if (stream === "stdout" || stream === "stderr") {
    return (line) => {
      writeSync(stream === "stdout" ? 1 : 2, line);
    };
  }
  throw new PipesError(`messages go neither to a file nor to a stream: ${Object.keys(to).join(", ")}`);
}

function typed(metadata: Metadata): Record<string, { type: MetadataType; raw_value: Json }> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [
      name,
      typeof value === "object" && value !== null ? value : { type: "__infer__" as const, raw_value: value },
    ]),
  );
}

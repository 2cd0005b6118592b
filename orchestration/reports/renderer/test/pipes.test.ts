import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { asException, type ContextData, decode, encode, Pipes, PipesError } from "../src/pipes.ts";

const CONTEXT: ContextData = {
  asset_keys: ["reports/brief"],
  partition_key: null,
  run_id: "a run",
  job_name: "nightly_refresh",
  retry_number: 0,
  extras: { page: "/tmp/p.html" },
};

interface Message {
  __dagster_pipes_version: string;
  method: string;
  params: Record<string, unknown>;
}

function session(context: Partial<ContextData> = {}): { pipes: Pipes; messages: Message[] } {
  const messages: Message[] = [];
  const pipes = new Pipes({ ...CONTEXT, ...context }, (line) => messages.push(JSON.parse(line) as Message));
  return { pipes, messages };
}

test("what dagster_pipes of Python packs is unpacked, and the other way round", () => {
  // dagster_pipes.encode_param({"path": "/tmp/ä"})
  assert.deepEqual(decode("eJyrVipILMlQslJQ0i/JLdCPKTUwSDVRqgUAVfsHAQ=="), { path: "/tmp/ä" });
  assert.deepEqual(decode(encode({ deep: [1, null, "ü"] })), { deep: [1, null, "ü"] });
});

test("a session is opened, told and closed in files, as Dagster's variables say", () => {
  const folder = mkdtempSync(join(tmpdir(), "pipes-"));
  const [context, messages] = [join(folder, "context"), join(folder, "messages")];
  writeFileSync(context, JSON.stringify(CONTEXT));
  const pipes = Pipes.open({
    DAGSTER_PIPES_CONTEXT: encode({ path: context }),
    DAGSTER_PIPES_MESSAGES: encode({ path: messages, include_stdio_in_messages: false }),
  });
  assert.equal(pipes.extra("page"), "/tmp/p.html");
  pipes.log("at work");
  pipes.close();
  const told = readFileSync(messages, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as Message);
  assert.deepEqual(told.map((message) => message.method), ["opened", "log", "closed"]);
  assert.deepEqual(told[1]?.params, { message: "at work", level: "INFO" });
  assert.equal(told[0]?.__dagster_pipes_version, "0.1");
});

test("the context may stand in the variable itself", () => {
  const folder = mkdtempSync(join(tmpdir(), "pipes-"));
  const pipes = Pipes.open({
    DAGSTER_PIPES_CONTEXT: encode({ data: CONTEXT }),
    DAGSTER_PIPES_MESSAGES: encode({ path: join(folder, "messages") }),
  });
  assert.equal(pipes.context.run_id, "a run");
});

test("metadata is inferred, or has the type it names; the asset is the only one there is", () => {
  const { pipes, messages } = session();
  pipes.reportAssetMaterialization({ charts: 3, page: { type: "path", raw_value: "/p" } });
  assert.deepEqual(messages[1]?.params, {
    asset_key: "reports/brief",
    data_version: null,
    metadata: { charts: { type: "__infer__", raw_value: 3 }, page: { type: "path", raw_value: "/p" } },
  });
  assert.throws(() => pipes.reportAssetMaterialization({}), /materialized already/);
});

test("a check is reported with its severity", () => {
  const { pipes, messages } = session();
  pipes.reportAssetCheck("complete", false, { missing: 2 }, "WARN");
  assert.deepEqual(messages[1]?.params, {
    asset_key: "reports/brief",
    check_name: "complete",
    passed: false,
    severity: "WARN",
    metadata: { missing: { type: "__infer__", raw_value: 2 } },
  });
});

test("an asset has to be named where there are several, and be one of them", () => {
  const { pipes } = session({ asset_keys: ["a", "b"] });
  assert.throws(() => pipes.reportAssetMaterialization({}), PipesError);
  assert.throws(() => pipes.reportAssetMaterialization({}, "c"), /a, b/);
  pipes.reportAssetMaterialization({}, "b");
});

test("a failure is told with its stack and what caused it", () => {
  const { pipes, messages } = session();
  const error = new Error("no chart", { cause: new TypeError("no field") });
  pipes.close(error);
  pipes.close();
  assert.deepEqual(messages.map((message) => message.method), ["opened", "closed"]);
  const told = messages[1]?.params["exception"] as ReturnType<typeof asException>;
  assert.equal(told.message, "Error: no chart");
  assert.match(told.stack[0] ?? "", /^\s+at .*pipes\.test\.ts/);
  assert.equal(told.cause?.name, "TypeError");
  assert.throws(() => pipes.log("more"), /closed/);
});

test("anything can be thrown", () => {
  assert.deepEqual(asException("words").message, "words");
});

test("outside of Dagster, and for ways that it does not know, it says so", () => {
  assert.throws(() => Pipes.open({}), /started by Dagster/);
  const context = encode({ data: CONTEXT });
  assert.throws(() => Pipes.open({ DAGSTER_PIPES_CONTEXT: encode({ bucket: "b" }) }), /bucket/);
  assert.throws(
    () => Pipes.open({ DAGSTER_PIPES_CONTEXT: context, DAGSTER_PIPES_MESSAGES: encode({ bucket: "b" }) }),
    /bucket/,
  );
  assert.throws(() => session().pipes.extra("nothing"), /nothing/);
});

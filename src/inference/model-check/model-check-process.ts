/**
 * The process in which a model that nobody knows is scanned and loaded: what it does to the process it does to this one alone.
 * Started by check-model-file.ts for one request, with an empty environment. Effects: reads the file, memory, the processor.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { sha256 } from "../../base/digest.ts";
import { describeError } from "../../base/errors.ts";
import { scanModel } from "../../protocol/model/scan-model.ts";
import { formatRuntime } from "../runtime.ts";
import type { ModelCheckAnswer, ModelCheckRequest } from "./messages.ts";

process.once("message", async (request: ModelCheckRequest) => {
  beFirstToGo();
  endAfter(request.limitMs);
  await check(request);
  process.exit(0);
});
process.on("disconnect", () => process.exit(0));

async function check(request: ModelCheckRequest): Promise<void> {
  const bytes = readFileSync(request.path);
  if (sha256(bytes) !== request.digest)
    return say({ kind: "unreadable", message: "The file has changed since it was fetched." });
  if (request.scan) {
    const findings = scanModel(bytes);
    await say({ kind: "scanned", findings });
    if (findings.problems.length > 0) return;
  }
  await load(bytes, request);
}

async function load(bytes: Uint8Array, { seed, samples, sample }: ModelCheckRequest): Promise<void> {
  // Not before it is needed: most hostile files end at the scan.
  const [{ defaultSessionOptions, loadModel }, { runSamples }] = await Promise.all([
    import("../session.ts"),
    import("./run-samples.ts"),
  ]);
  const model = await loadModel(bytes, defaultSessionOptions).catch((error: unknown) => describeError(error));
  if (typeof model === "string") return say({ kind: "refused", message: model });
  await say({ kind: "loaded", runtime: formatRuntime(model.runtime) });
  await say(await runSamples(model, { seed, count: samples, file: sample && readSample(sample) }));
}

/** One that has changed is left out, as one that does not fit: it says nothing of the model. */
function readSample({ path, digest }: NonNullable<ModelCheckRequest["sample"]>): Uint8Array | undefined {
  const bytes = readFileSync(path);
  return sha256(bytes) === digest ? bytes : undefined;
}

function say(answer: ModelCheckAnswer): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(answer, () => resolve());
  });
}

/** Where memory runs out the kernel ends this process and not the one that asked. */
function beFirstToGo(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", "1000");
  } catch {
    // Not Linux, or not allowed: the limit that the parent watches holds all the same.
  }
}

/** From a thread of its own: native code that loops would keep every timer of this one from running. */
function endAfter(limitMs: number): void {
  const script =
    "const { pid, limitMs } = require('node:worker_threads').workerData; setTimeout(() => process.kill(pid, 'SIGKILL'), limitMs);";
  new Worker(script, { eval: true, workerData: { pid: process.pid, limitMs }, env: {} }).unref();
}

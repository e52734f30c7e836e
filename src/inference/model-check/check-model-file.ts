/**
 * Scans and loads a model file in a child process with limits of memory and time. A model that ends the process, or needs more
 * than the limits, is found to do so, and nothing else happens. Called by validators for a Model that wants approval, by workers
 * and validators before the first load of a model that nobody approved, and by `inferium model scan`. Effects: one process.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Digest } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import { readResidentBytes } from "../../base/resident-memory.ts";
import { type CheckLimits, computeCheckLimits } from "../../protocol/model/check-limits.ts";
import type { ModelFindings } from "../../protocol/model/findings.ts";
import { emptyFindings } from "../../protocol/model/scan-model.ts";
import type { ModelCheckAnswer, ModelCheckRequest, SampleOutputs } from "./messages.ts";

export interface ModelCheckResult {
  readonly findings: ModelFindings;
  /** What it was loaded in; undefined where it was not loaded. */
  readonly runtime: string | undefined;
  /** Its outputs on inputs from the seed, by sample. */
  readonly samples: readonly SampleOutputs[];
}

export interface ModelCheckOptions {
  /** False: it is only loaded and run. */
  readonly scan?: boolean;
  /** Of the inputs that it is run on, and how many. */
  readonly seed?: string;
  readonly seeded?: number;
  /** A safetensors file with inputs that make sense to it. */
  readonly sample?: { readonly path: string; readonly digest: Digest } | undefined;
  /** In place of what the file's size allows. */
  readonly limits?: CheckLimits;
  readonly signal?: AbortSignal;
}

const entry = import.meta.url.endsWith(".ts") ? "ts" : "js";
const processUrl = new URL(`./model-check-process.${entry}`, import.meta.url);
const memoryCheckMs = 50;
/** Its own alarm comes after ours, for when nobody is left to kill it. */
const alarmMs = 10_000;

/** @throws InferiumError CheckFailed where nothing can be said of the model (retry); the signal's reason */
export async function checkModelFile(
  file: { readonly path: string; readonly digest: Digest },
  { scan = true, seed = "0", seeded = 3, sample, limits, signal }: ModelCheckOptions = {},
): Promise<ModelCheckResult> {
  signal?.throwIfAborted();
  const { size } = await stat(file.path);
  const allowed = limits ?? computeCheckLimits(size);
  const { answers, ending } = await run(
    {
      path: file.path,
      digest: file.digest,
      scan,
      seed,
      samples: seeded,
      ...(sample ? { sample } : {}),
      limitMs: allowed.timeMs + alarmMs,
    },
    allowed,
    signal,
  );
  const findings = answers.find(({ kind }) => kind === "scanned");
  const known = findings?.kind === "scanned" ? findings.findings : emptyFindings(size);
  const last = answers.at(-1);
  if (last?.kind === "unreadable") throw failed(last.message);
  const loaded = answers.find(({ kind }) => kind === "loaded");
  const runtime = loaded?.kind === "loaded" ? loaded.runtime : undefined;
  const none = { runtime: undefined, samples: [] };
  if (last?.kind === "ran") return { findings: known, runtime, samples: last.samples };
  if (last?.kind === "refused") return { findings: withProblem(known, "LoadFailed", last.message), ...none };
  if (last?.kind === "scanned" && known.problems.length > 0) return { findings: known, ...none };
  return { findings: withProblem(known, ending.reason, ending.message), ...none };
}

function withProblem(findings: ModelFindings, reason: string, message: string): ModelFindings {
  return { ...findings, problems: [...findings.problems, { reason, message: message.slice(0, 1_024) }] };
}

interface Ending {
  readonly reason: "MemoryLimit" | "TimeLimit" | "Crashed";
  readonly message: string;
}

interface Ended {
  readonly answers: readonly ModelCheckAnswer[];
  readonly ending: Ending;
}

async function run(request: ModelCheckRequest, limits: CheckLimits, signal: AbortSignal | undefined): Promise<Ended> {
  const child = start(limits);
  const answers: ModelCheckAnswer[] = [];
  child.on("message", (answer) => answers.push(answer as ModelCheckAnswer));
  const exited = new Promise<string>((resolve, reject) => {
    child.once("exit", (code, name) => resolve(name ?? `exit status ${code}`));
    child.once("error", (cause) => reject(failed(`The process that checks models did not start: ${cause.message}`)));
  });
  const bounds = watch(child, limits);
  const onAbort = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    child.send(request, () => undefined);
    const how = await exited;
    signal?.throwIfAborted();
    const message = `Loading or running it ended a process of its own (${how}); it would have ended the one that runs tasks.`;
    return { answers, ending: bounds.exceeded() ?? { reason: "Crashed", message } };
  } finally {
    bounds.stop();
    signal?.removeEventListener("abort", onAbort);
    child.kill("SIGKILL");
  }
}

/** Nothing of the environment: a model that takes the process over finds no key there. */
function start({ memoryBytes }: CheckLimits): ChildProcess {
  const heapMiB = Math.ceil(memoryBytes / 2 ** 20);
  return spawn(process.execPath, [`--max-old-space-size=${heapMiB}`, fileURLToPath(processUrl)], {
    env: {},
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
}

function watch(child: ChildProcess, { memoryBytes, timeMs }: CheckLimits) {
  let exceeded: Ending | undefined;
  const end = (reason: Ending["reason"], message: string) => {
    exceeded ??= { reason, message };
    child.kill("SIGKILL");
  };
  const timer = setTimeout(
    () => end("TimeLimit", `Checking it took more than the ${timeMs} ms that its size allows.`),
    timeMs,
  );
  const meter = setInterval(async () => {
    const bytes = await readResidentBytes(child.pid);
    if (bytes <= memoryBytes) return;
    end("MemoryLimit", `Checking it took more than the ${memoryBytes} bytes of memory that its size allows.`);
  }, memoryCheckMs);
  const stop = () => {
    clearTimeout(timer);
    clearInterval(meter);
  };
  return { exceeded: () => exceeded, stop };
}

function failed(what: string): InferiumError {
  return new InferiumError("CheckFailed", `The model was not checked: ${what}`, { disposition: "retry" });
}

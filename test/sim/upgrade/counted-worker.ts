/** The real worker role, whose execution doubles numbers, takes its time, and is counted by what it was given. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { silentLogger } from "../../../src/base/log.ts";
import type { Execution, ExecutionRequest } from "../../../src/inference/execute.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { tensorFrom, viewElements } from "../../../src/protocol/tensors/elements.ts";
import { tensorsFromJson } from "../../../src/protocol/tensors/json.ts";
import { type NamedTensors, requireTensor } from "../../../src/protocol/tensors/tensor.ts";
import { readWorkerConfig } from "../../../src/worker/config.ts";
import { runWorker } from "../../../src/worker/run-worker.ts";

export interface CountedWorkerOptions {
  readonly name: string;
  readonly dir: string;
  readonly privateKey: string;
  readonly poolUrl: string;
  readonly poolCa: string;
  readonly slots: number;
  /** How long one execution takes. */
  readonly taskMs: number;
  /** Called as an execution begins, with the first number of its input. */
  readonly onRun: (number: number) => void;
}

/** @returns a function that stops it, and resolves when it has */
export async function startCountedWorker(options: CountedWorkerOptions): Promise<() => Promise<void>> {
  const dir = join(options.dir, options.name);
  await mkdir(dir, { recursive: true });
  const write = async (name: string, text: string) => {
    await writeFile(join(dir, name), text, { mode: 0o600 });
    return join(dir, name);
  };
  const config = readWorkerConfig({
    INFERIUM_POOL_URL: options.poolUrl,
    INFERIUM_POOL_CA_FILE: await write("ca.crt", options.poolCa),
    INFERIUM_KEY_FILE: await write("key", options.privateKey),
    INFERIUM_CACHE_DIR: join(dir, "cache"),
    INFERIUM_STATE_DIR: join(dir, "state"),
    INFERIUM_SLOTS: String(options.slots),
    INFERIUM_HEARTBEAT_MS: "1000",
    INFERIUM_CLAIM_WAIT_MS: "2000",
  });
  const stopping = new AbortController();
  const execute = (request: ExecutionRequest) => run(request, options);
  const done = runWorker(config, { signal: stopping.signal, logger: silentLogger, execute });
  // Told by whoever stops it.
  done.catch(() => undefined);
  return async () => {
    stopping.abort(new Error("the simulation is over"));
    await done;
  };
}

async function run({ input, model }: ExecutionRequest, { onRun, taskMs }: CountedWorkerOptions): Promise<Execution> {
  if (!("inline" in input)) throw new Error("the simulation's tasks bring their input along");
  const inputs = tensorsFromJson(input.inline);
  const values = Array.from(viewElements(requireTensor(inputs, "x")), Number);
  onRun(values[0] ?? -1);
  await sleep(taskMs);
  const doubled = values.map((value) => value * 2);
  const outputs: NamedTensors = new Map([["y", tensorFrom("int32", [doubled.length], doubled)]]);
  return {
    outputs,
    outputDigest: digestTensors(outputs),
    inputDigest: digestTensors(inputs),
    modelDigest: model.digest,
    runtime: { version: "simulated", provider: "cpu", isa: "none", level: "none" },
    items: 1,
  };
}

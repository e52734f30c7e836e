/**
 * Before a model that this process has not loaded yet is loaded into it: loading and a first run in a process of its own, once for each digest. A
 * model that ends that one is not loaded into this one. Called by execute.ts and model-host.ts. Effects: one process for each model.
 */
import { InferiumError } from "../../base/errors.ts";
import type { Artifact } from "../fetch-artifact.ts";
import { createLru } from "../lru.ts";
import { checkModelFile } from "./check-model-file.ts";

/** @throws InferiumError UnsafeModel, CheckFailed; the signal's reason */
export type ModelProbe = (artifact: Artifact, signal?: AbortSignal) => Promise<void>;

const fatal: ReadonlySet<string> = new Set(["Crashed", "MemoryLimit", "TimeLimit"]);
const keptDigests = 4_096;

export function createModelProbe(check: typeof checkModelFile = checkModelFile): ModelProbe {
  const passed = createLru<true>(keptDigests, () => 1);
  return async (artifact, signal) => {
    if (passed.get(artifact.digest)) return;
    const { findings } = await check(artifact, { scan: false, seeded: 1, ...(signal ? { signal } : {}) });
    const problem = findings.problems.find(({ reason }) => fatal.has(reason));
    if (problem === undefined) return passed.set(artifact.digest, true);
    const message = `The model ${artifact.digest} is not loaded here: ${problem.reason}. ${problem.message}`;
    throw new InferiumError("UnsafeModel", message);
  };
}

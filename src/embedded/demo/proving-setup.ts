/**
 * The proving set-up of the demonstration's classifier: made once by set-up-proofs.ts with a setup for DEVELOPMENT, kept beside the
 * model, and copied to where a run's validators read and write. Making it takes seconds of two cores, which a start has not.
 * Effects: files in the run's folder.
 */
import { cp, mkdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { sha256 } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import { packageRoot } from "../../base/package-root.ts";
import { ProofArtifactStore } from "../../zk/proving/artifact-store.ts";
import type { CircuitRecord } from "../../zk/proving/circuit-record.ts";

export const mnistModel = new URL("src/embedded/demo/models/mnist-int8.onnx", packageRoot);
/** A store of proving artifacts, as validators read it. */
export const provingFolder = new URL("src/embedded/demo/models/mnist-int8.proving/", packageRoot);
/** Images in one proof. */
export const provenRows = 1;

/** @throws InferiumError ProvingSetupMissing */
export async function openProvingSetup(dir: string): Promise<CircuitRecord> {
  await mkdir(dir, { recursive: true });
  await cp(fileURLToPath(provingFolder), dir, { recursive: true });
  const model = sha256(await readFile(mnistModel));
  const record = await new ProofArtifactStore(dir).readRecord(model, provenRows);
  if (record !== undefined) return record;
  const message = `There is no proving set-up for model ${model} in ${fileURLToPath(provingFolder)}. Make one: node src/embedded/demo/models/set-up-proofs.ts.`;
  throw new InferiumError("ProvingSetupMissing", message, { disposition: "fatal" });
}

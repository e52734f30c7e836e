/** A model that runs in this process: no second hop, no copy. Closing waits for the runs that are on. */
import type { HostedModel, TensorSignature } from "../../inference/hosted-model.ts";
import { datatypeOf } from "../../protocol/oip/datatype.ts";
import { isDType } from "../../protocol/tensors/dtype.ts";
import type { OipBackend } from "./oip-backend.ts";

/** The one version of a model: its digest says which it is. */
export const onlyVersion = "1";

export function createLocalOip(modelName: string, model: HostedModel): OipBackend {
  const metadata = describeModel(modelName, model);
  const running = new Set<Promise<unknown>>();
  return {
    infer(inputs) {
      const run = model.infer(inputs);
      running.add(run);
      return run.finally(() => running.delete(run));
    },
    describe: async () => metadata,
    isReady: async () => true,
    async close() {
      await Promise.allSettled(running);
      await model.close();
    },
  };
}

function describeModel(name: string, model: HostedModel): object {
  return {
    name,
    versions: [onlyVersion],
    platform: "onnxruntime_onnx",
    inputs: model.inputs.map(describeTensor),
    outputs: model.outputs.map(describeTensor),
    // Beyond the protocol: what exactly it is that answers.
    parameters: { digest: model.digest, runtime: model.runtime },
  };
}

function describeTensor({ name, dtype, shape }: TensorSignature): object {
  return { name, datatype: isDType(dtype) ? datatypeOf(dtype) : dtype.toUpperCase(), shape };
}

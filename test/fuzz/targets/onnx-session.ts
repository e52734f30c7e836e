/** Models that nobody checked, loaded and run as a worker does: refused or run, and the process lives. */
import { readFileSync } from "node:fs";
import { probeModel } from "../../../src/inference/probe-model.ts";
import { defaultSessionOptions, loadModel } from "../../../src/inference/session.ts";
import { mutateBytes } from "../mutate-bytes.ts";
import { type FuzzTarget, refusalOfAsync } from "../target.ts";

export const onnxSession: FuzzTarget = {
  name: "onnx-session",
  what: "hostile models in onnxruntime, as a worker loads them",
  hangMs: 20_000,
  open() {
    const models = [
      Buffer.from(probeModel, "base64"),
      readFileSync(new URL("../../../src/embedded/demo/models/mnist-int8.onnx", import.meta.url)),
    ] as const;
    return {
      execute: (random) =>
        refusalOfAsync(async () => {
          const model = await loadModel(mutateBytes(random.pick(models), random), defaultSessionOptions);
          await model.session.release();
        }),
    };
  },
};

/** The first runs of a model that nobody knows, in the process that checks it. Effects: the processor's. */
import { describeError } from "../../base/errors.ts";
import { readSafetensors } from "../../protocol/tensors/safetensors.ts";
import type { NamedTensors } from "../../protocol/tensors/tensor.ts";
import { runModel, toFeeds } from "../run-model.ts";
import type { LoadedModel } from "../session.ts";
import type { ModelCheckAnswer, SampleOutputs } from "./messages.ts";
import { buildSampleInputs } from "./sample-inputs.ts";

/** Of the outputs of one sample, so that all of them fit into one call of the pool API. */
const maxSampleBytes = 64 * 1024;

export interface SampleSource {
  readonly seed: string;
  readonly count: number;
  /** Contents of a safetensors file with inputs that make sense to the model; undefined where nobody gave one. */
  readonly file: Uint8Array | undefined;
}

export async function runSamples(
  model: LoadedModel,
  { seed, count, file }: SampleSource,
): Promise<Extract<ModelCheckAnswer, { kind: "ran" }>> {
  const inputs = model.session.inputMetadata;
  const seeded = Array.from({ length: count }, (_, index) => () => buildSampleInputs(inputs, `${seed} ${index}`));
  const sources = file === undefined ? seeded : [() => readSafetensors(file), ...seeded];
  const samples: (SampleOutputs | undefined)[] = [];
  let problem = "";
  for (const source of sources) {
    try {
      const tensors = source();
      samples.push(tensors && encode(await runModel(model, { tensors, feeds: toFeeds(tensors) })));
    } catch (error) {
      // Inputs drawn by chance may fit no model: that says nothing of it.
      problem ||= describeError(error);
      samples.push(undefined);
    }
  }
  return { kind: "ran", samples: samples.map((sample) => sample ?? {}), problem: problem.slice(0, 512) };
}

function encode(outputs: NamedTensors): SampleOutputs | undefined {
  const bytes = [...outputs.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  if (bytes > maxSampleBytes) return undefined;
  const entries = [...outputs].map(([name, { dtype, shape, data }]) => [
    name,
    { dtype, shape, base64: Buffer.from(data).toString("base64") },
  ]);
  return Object.fromEntries(entries);
}

/** What is written down of a call's input and output: digests at once, contents only if the call is opened. */
import { type Digest, sha256 } from "../../base/digest.ts";
import type { CallContent } from "../../pool/agents.ts";
import { noOutput } from "../../protocol/calls.ts";
import { digestTensors } from "../../protocol/tensors/canonical.ts";
import { tensorsToJson } from "../../protocol/tensors/json.ts";
import type { NamedTensors } from "../../protocol/tensors/tensor.ts";
import type { CallContents } from "./call-meter.ts";
import type { KeptTensors } from "./open-window.ts";

/** Of a call of which nothing else is kept. */
const leafBytes = 400;

/** @param outputs absent where the call failed */
export function describeTensors(inputs: NamedTensors, outputs?: NamedTensors): CallContents {
  return {
    inputDigest: digestTensors(inputs),
    outputDigest: outputs === undefined ? noOutput : digestTensors(outputs),
    ...describeKept(inputs, outputs),
  };
}

/** What stays in memory of a call until its window is delivered. */
export function describeKept(inputs?: NamedTensors, outputs?: NamedTensors): KeptTensors {
  return { inputs, outputs, sizeBytes: inputs === undefined ? leafBytes : sizeOf(inputs) + sizeOf(outputs) };
}

export function tensorContent(tensors: NamedTensors): CallContent {
  const entries = Object.entries(tensorsToJson(tensors)).map(([name, { dtype, shape, data }]) => [
    name,
    typeof data === "string" ? { dtype, shape, base64: data } : { dtype, shape, data },
  ]);
  return { kind: "tensors", tensors: Object.fromEntries(entries) };
}

/** With what a tensor costs beside its data. */
function sizeOf(tensors: NamedTensors | undefined): number {
  let size = 0;
  if (tensors === undefined) return size;
  for (const { data } of tensors.values()) size += data.byteLength + 200;
  return size;
}

/** Bodies as they were sent are not kept, since nobody can run them again: caller and receipt have all there is to compare. */
export function describeBodies(input: Buffer, outputDigest: Digest): CallContents {
  return { inputDigest: sha256(input), outputDigest, ...describeKept() };
}

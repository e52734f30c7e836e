/** The true answers of a leaderboard's shards, from the ConfigMaps that it names, verified by digest. Effects: reads ConfigMaps. */
import { sha256 } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import { isNotFound } from "../../kube/api-error.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { ConfigMap } from "../../kube/core-resources.ts";
import { toTensorJson } from "../../pool/inline-tensors.ts";
import { checkLabels } from "../../protocol/leaderboard/statistics-input.ts";
import { tensorsFromJson } from "../../protocol/tensors/json.ts";
import { readSafetensors } from "../../protocol/tensors/safetensors.ts";
import { type NamedTensors, requireTensor, type Tensor } from "../../protocol/tensors/tensor.ts";
import type { LeaderboardObject } from "../kinds.ts";

/** Labels by index of the shard. One ConfigMap may hold those of several shards and is read once. */
export type LabelReader = (shard: number) => Promise<Tensor>;

/** The reader throws InferiumError LabelsUnavailable (may pass), LabelsMismatch, LabelsInvalid. */
export function createLabelReader(client: KubeClient<ConfigMap>, { metadata, spec }: LeaderboardObject): LabelReader {
  const { namespace = "" } = metadata;
  const maps = new Map<string, Promise<ConfigMap | undefined>>();
  const read = (name: string) => {
    const known = maps.get(name) ?? client.get({ namespace, name }).catch(undefinedWhereGone);
    maps.set(name, known);
    return known;
  };
  return async (index) => {
    const shard = spec.dataset.shards[index];
    if (shard === undefined) throw unavailable(`Shard ${index} does not exist.`);
    const { configMapRef, digest } = shard.labels;
    const where = `ConfigMap ${namespace}/${configMapRef.name}, key ${configMapRef.key}`;
    const value = readKey(await read(configMapRef.name), configMapRef.key);
    if (value === undefined) throw unavailable(`The labels of shard ${index} are not there: ${where}. Create it.`);
    const got = sha256(value);
    if (got !== digest) {
      const message = `The labels of shard ${index} (${where}) have digest ${got}; the leaderboard names ${digest}.`;
      throw new InferiumError("LabelsMismatch", message);
    }
    return checkLabels(spec, requireTensor(parse(value, where), "labels"), { index, rows: shard.rows });
  };
}

function undefinedWhereGone(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}

function unavailable(message: string): InferiumError {
  return new InferiumError("LabelsUnavailable", message, { disposition: "retry" });
}

function readKey(map: ConfigMap | undefined, key: string): string | Buffer | undefined {
  const bytes = map?.binaryData?.[key];
  return map?.data?.[key] ?? (bytes === undefined ? undefined : Buffer.from(bytes, "base64"));
}

function parse(value: string | Buffer, where: string): NamedTensors {
  try {
    return typeof value === "string" ? tensorsFromJson(toTensorJson(JSON.parse(value))) : readSafetensors(value);
  } catch (cause) {
    const message = `The labels in ${where} cannot be read; expected a tensor called labels as JSON in data or as safetensors in binaryData.`;
    throw new InferiumError("LabelsInvalid", message, { cause });
  }
}

/** A leaderboard over digits that three made-up models read more or less well, its labels, and members that compute what they should. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "../../../src/base/digest.ts";
import { createExecutor } from "../../../src/inference/execute.ts";
import { createClient } from "../../../src/kube/client.ts";
import type { LeaderboardObject } from "../../../src/operator/kinds.ts";
import { toExecutionRequest } from "../../../src/pool/execution-request.ts";
import { writeInline } from "../../../src/pool/inline-tensors.ts";
import { type Cluster, configMaps, requester } from "./operator-fixture.ts";
import type { Compute } from "./scripted-members.ts";

const rows = 40;
export const classes = 4;
const truth = (shard: number) => Array.from({ length: rows }, (_, row) => (row * 7 + shard) % classes);

/** What each model answers where the truth is `label`, in row `row`. */
const answers: Readonly<Record<string, (label: number, row: number) => number>> = {
  good: (label, row) => (row === 3 ? (label + 1) % classes : label),
  fair: (label, row) => (row % 2 === 0 ? label : (label + 1) % classes),
  constant: () => 0,
};

const digestOf = (model: string) => sha256(`model ${model}`);

export async function applyLabels(cluster: Cluster, name = "labels"): Promise<void> {
  const data = Object.fromEntries([0, 1].map((shard) => [`shard${shard}.json`, labelsOf(shard)]));
  await createClient(cluster.transport, configMaps).apply({ metadata: { name, namespace: "default" }, data });
}

function labelsOf(shard: number): string {
  return JSON.stringify({ labels: { dtype: "uint8", shape: [rows], data: truth(shard) } });
}

export function aLeaderboard(name: string, change: Partial<LeaderboardObject["spec"]> = {}): LeaderboardObject {
  const shards = [0, 1].map((shard) => ({
    rows,
    input: { uri: `https://data.test/shard${shard}.safetensors`, digest: sha256(`shard ${shard}`) },
    labels: { configMapRef: { name: "labels", key: `shard${shard}.json` }, digest: sha256(labelsOf(shard)) },
  }));
  const models = Object.keys(answers).map((model) => ({
    ...{ name: model, uri: `https://models.test/${model}.onnx`, digest: digestOf(model), outputName: "label" },
  }));
  const spec = {
    ...{ models, dataset: { classes, shards }, metrics: ["Accuracy", "F1"], reward: "1" },
    ...{ requester: requester.address, orderRef: { name: "order" }, ...change },
  };
  return {
    apiVersion: "inferium.io/v1alpha1",
    kind: "Leaderboard",
    metadata: { name, namespace: "default" },
    spec,
  } as LeaderboardObject;
}

export interface Computing {
  readonly compute: Compute;
  close(): Promise<void>;
}

/** Statistics run in onnxruntime, as everybody runs them; what the made-up models answer is known here. */
export async function openComputing(): Promise<Computing> {
  const dir = await mkdtemp(join(tmpdir(), "inferium-leaderboard-"));
  const executor = createExecutor({ cacheDir: dir });
  return {
    compute: async ({ model, input }) => {
      if (model.uri.startsWith("data:"))
        return writeInline((await executor.execute(toExecutionRequest(model, input))).outputs);
      const name = Object.keys(answers).find((one) => digestOf(one) === model.digest) ?? "";
      const shard = input.uri?.includes("shard1") ? 1 : 0;
      const data = truth(shard).map((label, row) => answers[name]?.(label, row) ?? -1);
      return { label: { dtype: "int64", shape: [rows], data } };
    },
    close: async () => {
      await executor.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

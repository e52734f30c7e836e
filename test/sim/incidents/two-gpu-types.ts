/**
 * Two kinds of GPU whose honest floating-point results differ, and a cheat, under policy Tolerance: before the two were ever compared on
 * the task's model nobody can be slashed for numbers, and afterwards only who differs by more than they do. The whole operator with
 * scripted members; validators judge by the real rules.
 */
import { digestToBytes32, sha256 } from "../../../src/base/digest.ts";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import { createClient } from "../../../src/kube/client.ts";
import { type ModelObject, models } from "../../../src/operator/kinds.ts";
import type { JudgeItem, ModelDuty } from "../../../src/pool/duty.ts";
import { readInline } from "../../../src/pool/inline-tensors.ts";
import type { ModelCheck } from "../../../src/pool/wire.ts";
import type { InlineTensors } from "../../../src/pool/work-assignment.ts";
import { hashFindings } from "../../../src/protocol/model/findings.ts";
import { emptyFindings } from "../../../src/protocol/model/scan-model.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { modelFindingTypes } from "../../../src/protocol/typed-data.ts";
import { judgeAgainst } from "../../../src/validator/judge.ts";
import {
  aTask,
  type Cluster,
  type RunningOperator,
  startCluster,
  startOperator,
} from "../../integration/operator/operator-fixture.ts";
import { connect, type Running, runValidator, runWorker } from "../../integration/operator/scripted-members.ts";
import type { ScenarioOptions, ScenarioReport } from "../scenario.ts";
import { waitUntil } from "../wait-until.ts";

const kinds = { a: "onnxruntime/1.30.0 gpu-a", b: "onnxruntime/1.30.0 gpu-b" } as const;
type Kind = keyof typeof kinds;
/** What honest results of the two differ by, and what a cheat adds: far beyond four times that, absolute and relative together. */
const apart = 0.05;
const cheat = 10;

const validators: Readonly<Record<string, Kind>> = { v1: "b", v2: "a", v3: "a" };
/** Who cannot look at the model: then those who can are of one kind, or of two. */
const unable = { uncompared: "v1", compared: "v3" } as const;
type ModelName = keyof typeof unable;
const digestOf = (name: ModelName) => sha256(name);

interface Case {
  readonly name: string;
  readonly model: ModelName;
  readonly worker: "honest" | "cheat";
  readonly absolute: number;
  readonly want: "Accepted" | "Rejected" | "Inconclusive";
}

const cases: readonly Case[] = [
  { name: "uncompared-honest", model: "uncompared", worker: "honest", absolute: 0.01, want: "Inconclusive" },
  { name: "uncompared-cheat", model: "uncompared", worker: "cheat", absolute: 0.01, want: "Inconclusive" },
  { name: "compared-within", model: "compared", worker: "honest", absolute: 0.1, want: "Accepted" },
  { name: "compared-narrow", model: "compared", worker: "honest", absolute: 0.01, want: "Inconclusive" },
  { name: "compared-cheat", model: "compared", worker: "cheat", absolute: 0.01, want: "Rejected" },
];

export async function playTwoGpuTypes({ seed, timeoutMs }: ScenarioOptions): Promise<ScenarioReport> {
  const began = performance.now();
  const problems: string[] = [];
  const cluster = await startCluster({ workers: ["honest", "cheat"], validators: Object.keys(validators) });
  const operator = await startOperator(cluster);
  const members = startMembers(cluster, operator);
  try {
    await cluster.order("order");
    for (const name of ["uncompared", "compared"] as const) await approve(cluster, name, timeoutMs);
    // One after another: a slash takes the cheat out of the pool.
    for (const one of cases) if (problems.length === 0) problems.push(...(await judge(cluster, one, timeoutMs)));
    if (problems.length === 0) problems.push(...(await checkStakes(cluster, timeoutMs)));
  } finally {
    await Promise.all(members.map((member) => member.stop()));
    await operator.stop();
    await cluster.close();
  }
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  const table = cases.map(({ name, absolute, want }) => `${name.padEnd(18)} within ${absolute}: ${want}`);
  return { seed, seconds, faults: {}, problems, tasks: cases.length, table };
}

function startMembers(cluster: Cluster, operator: RunningOperator): Running[] {
  const runtime = kinds.b;
  const worker = (name: string, off: number) =>
    runWorker(cluster, operator, name, { runtime, compute: async (task) => results("b", task, off) });
  return [
    worker("honest", 0),
    worker("cheat", cheat),
    ...Object.entries(validators).map(([name, kind]) =>
      runValidator(cluster, operator, name, {
        script: {
          judge: async (item) => judgeAgainst(item, ownResult(kind, item)),
          onDuty: async (duty) => {
            if (duty.kind !== "model") return "answer";
            await sayFinding(cluster, operator, { name, kind, duty });
            return "ignore";
          },
        },
      }),
    ),
  ];
}

/** What this kind of GPU makes of the input. */
function results(kind: Kind, { input }: Pick<JudgeItem, "input">, off = 0): InlineTensors {
  const [x = 0] = (input.inline?.x?.data ?? []) as number[];
  return { y: { dtype: "float32", shape: [1], data: [Math.fround(x / 3 + (kind === "b" ? apart : 0) + off)] } };
}

function ownResult(kind: Kind, item: JudgeItem) {
  const outputs = readInline(results(kind, item));
  const { modelDigest, inputDigest } = item.receipt.message;
  const outputDigest = digestToBytes32(digestTensors(outputs));
  return { state: "Computed" as const, outputs, runtime: kinds[kind], modelDigest, inputDigest, outputDigest };
}

async function sayFinding(
  cluster: Cluster,
  operator: RunningOperator,
  { name, kind, duty }: { readonly name: string; readonly kind: Kind; readonly duty: ModelDuty },
): Promise<void> {
  const isUnable = (Object.keys(unable) as ModelName[]).some(
    (one) => digestOf(one) === duty.model.digest && unable[one] === name,
  );
  const { signer } = cluster.member(name);
  const findings = { ...emptyFindings(1_000), nodes: 1, parameters: 1, weights: "None" as const };
  const runtime = kinds[kind];
  const findingsHash = hashFindings(findings);
  const message = { modelDigest: `0x${duty.model.digest.slice(7)}`, findingsHash, runtime, validator: signer.address };
  const samples = [1, 2, 3].map((x) =>
    results(kind, { input: { inline: { x: { dtype: "int32", shape: [1], data: [x] } } } }),
  );
  const outcome: ModelCheck["outcome"] = isUnable
    ? { kind: "Unable", reason: "TooLargeHere", message: "It does not fit here." }
    : {
        ...{ kind: "Found", findings, runtime, samples },
        signature: await signer.signTypedData(cluster.domain, modelFindingTypes, message),
      };
  const client = connect(cluster, operator, name);
  await client.attest({ kind: "model", checkId: duty.checkId, outcome });
  await client.close();
}

async function approve({ transport }: Cluster, name: ModelName, timeoutMs: number): Promise<void> {
  const client = createClient<ModelObject>(transport, models);
  const metadata = { name, namespace: "default" };
  const spec = { uri: `https://models.test/${name}.onnx`, digest: digestOf(name), license: "Apache-2.0" };
  await client.create({ apiVersion: "inferium.io/v1alpha1", kind: "Model", metadata, spec } as ModelObject);
  await waitUntil(`Model ${name} is approved`, timeoutMs, async () => {
    const { status } = await client.get(metadata);
    return status?.conditions?.some(({ type, status: is }) => type === "Approved" && is === "True");
  });
}

async function judge({ tasks }: Cluster, one: Case, timeoutMs: number): Promise<string[]> {
  const { name, model, worker, absolute, want } = one;
  const task = aTask(name, {
    model: { uri: `https://models.test/${model}.onnx`, digest: digestOf(model), format: "onnx" },
    input: { inline: { x: { dtype: "int32", shape: [1], data: [7] } } },
    nodeSelector: { "test/node": worker },
    verification: { policy: "Tolerance", validators: 3, quorum: 2, tolerance: { absolute, relative: 0 } },
    retries: 0,
  });
  await tasks.create(task);
  const verdict = await waitUntil(`task ${name} is judged`, timeoutMs, async () => {
    const { status } = await tasks.get({ namespace: "default", name });
    return status?.verdict?.result ?? status?.attempts?.at(-1)?.outcome;
  });
  return verdict === want ? [] : [`verdict: ${name} is ${verdict}; expected ${want}`];
}

/** The cheat pays for the one lie that could be told from the honest difference, nobody for anything else. */
async function checkStakes({ chain, member }: Cluster, timeoutMs: number): Promise<string[]> {
  const stakeOf = async (name: string) => (await chain.node(member(name).signer.address)).stakeWei;
  const full = 10_000n * oneToken;
  await waitUntil("the cheat is slashed", Math.min(timeoutMs, 30_000), async () => (await stakeOf("cheat")) < full);
  const honest = await stakeOf("honest");
  const { sequence } = await chain.lastBatch();
  return [
    ...(honest === full ? [] : [`slash: the honest worker has ${honest} wei left of ${full}`]),
    ...(sequence === 1n ? [] : [`paid: ${sequence} batches are settled, expected 1`]),
  ];
}

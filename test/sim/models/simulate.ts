/**
 * Models while everything around their approval fails: the operator is killed in the middle, one validator lies and one vanishes, a
 * source is down, a Model is exchanged for another under the same name, or changed. Each must be decided once, by what honest
 * validators found; tasks, confined to approved models, never run with another one, and none waits for ever.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { sha256 } from "../../../src/base/digest.ts";
import { type ArtifactServer, startArtifactServer } from "../../../src/embedded/demo/artifact-server.ts";
import { constant } from "../../../src/inference/training/onnx-parts.ts";
import { createClient, type KubeClient } from "../../../src/kube/client.ts";
import { createInformer } from "../../../src/kube/informer.ts";
import { type ModelObject, models } from "../../../src/operator/kinds.ts";
import { createRandom } from "../../chaos/random.ts";
import { aTask, type Cluster, startCluster } from "../../integration/operator/operator-fixture.ts";
import { aProduct, hostileModels } from "../../support/hostile-models.ts";
import { type Gate, startGate } from "../gate.ts";
import { startKilledOperator } from "../killed-operator.ts";
import { countFault, type FaultCounts, type ScenarioOptions, type ScenarioReport } from "../scenario.ts";
import { waitUntil } from "../wait-until.ts";
import { honest, liar, startMembers, vanishing, worker } from "./members.ts";

interface PlannedModel {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What condition Approved says in the end. */
  readonly want: string;
}

interface World {
  readonly cluster: Cluster;
  readonly client: KubeClient<ModelObject>;
  readonly artifacts: ArtifactServer;
  /** Before the files of one Model; shut in an outage. */
  readonly source: Gate;
}

/** Of tasks that can never run. */
const deadlineSeconds = 8;

export async function simulateModels(options: ScenarioOptions): Promise<ScenarioReport> {
  const { seed, numbers, timeoutMs } = options;
  const { models: count = 1, kills = 0, outages = 0 } = numbers;
  const began = performance.now();
  const faults: FaultCounts = {};
  const problems: string[] = [];
  const random = createRandom(seed);
  const cluster = await startCluster({ workers: [worker], validators: [...honest, liar, vanishing] });
  const artifacts = await startArtifactServer();
  const source = await startGate();
  source.setTarget(Number(new URL(artifacts.storeUri).port));
  source.setOpen(outages === 0);
  const world = { cluster, artifacts, source, client: createClient<ModelObject>(cluster.transport, models) };
  const approval = { isApprovalRequired: true, validators: 5, quorum: 3, validMs: 3_600_000 };
  const operator = await startKilledOperator({ ...cluster.config, models: approval });
  const decisions = watchDecisions(cluster);
  const members = await startMembers(cluster, operator.url, async ({ model }) => {
    const { items } = await world.client.list({ namespace: "default" });
    const isApproved = items.some((one) => one.spec.digest === model.digest && approvedOf(one)?.status === "True");
    if (!isApproved) problems.push(`confined: a task ran with ${model.uri}, which is not approved`);
  });
  try {
    await cluster.order("order");
    const planned = plan(count);
    for (const one of planned) await Promise.all([create(world, one), submit(world, one)]);
    await submit(world, { name: "unknown", bytes: Buffer.from("of no Model"), want: "none" });
    await replace(world, random.between(0, 400));
    const dying = async () => {
      for (let kill = 0; kill < kills; kill++) {
        await sleep(random.between(50, 1_200));
        await operator.replace();
        countFault(faults, "operator-kill");
      }
    };
    const outage = outages > 0 ? playOutage(world, timeoutMs) : [];
    if (outages > 0) countFault(faults, "source-outage");
    const [delayed] = await Promise.all([outage, dying()]);
    const all = [...planned, exchanged, ...delayed];
    for (const one of all) problems.push(...(await checkModel(world, one, timeoutMs)));
    problems.push(...(await checkTasks(world, all, timeoutMs)), ...decisions.check());
  } finally {
    await members.stop();
    await decisions.stop();
    await operator.close();
    await source.close();
    await artifacts.close();
    await cluster.close();
  }
  const seconds = Math.round((performance.now() - began) / 1_000);
  countFault(faults, "lying-validator");
  countFault(faults, "vanished-validator");
  return { seed, seconds, faults, problems };
}

/** Told apart by a weight, which stays fit for Exact. */
const aGoodModel = (number: number) => aProduct(constant("w", [4, 2], Int8Array.of(1, 2, 3, 4, 5, 6, 7, number)));

const hostile = (name: string) => hostileModels().find((one) => one.name === name)?.bytes ?? new Uint8Array();

/** What is there in the end under the name of a good one that was looked at when it went. */
const exchanged: PlannedModel = {
  name: "exchanged",
  bytes: hostile("a constant that is not there"),
  want: "Truncated",
};

function plan(count: number): PlannedModel[] {
  const bad = [
    { bytes: hostile("data outside the file"), want: "ExternalData" },
    { bytes: hostile("an operator of a domain of its own"), want: "CustomDomain" },
    { bytes: hostile("a constant of 2^41 values"), want: "GiantShape" },
  ];
  return Array.from({ length: count }, (_, index): PlannedModel[] => [
    { name: `good-${index}`, bytes: aGoodModel(index), want: "QuorumApproved" },
    ...bad.slice(index, index + 1).map((one) => ({ name: `bad-${index}`, ...one })),
  ]).flat();
}

async function create({ client, artifacts, source }: World, { name, bytes }: PlannedModel): Promise<void> {
  const uri = new URL(artifacts.publish(`${name}-${sha256(bytes).slice(7, 15)}.onnx`, bytes).uri);
  if (name === late.name) uri.port = String(source.port);
  await client.create({
    ...{ apiVersion: "inferium.io/v1alpha1", kind: "Model", metadata: { name, namespace: "default" } },
    spec: { uri: uri.href, digest: sha256(bytes), license: "Apache-2.0" },
  } as ModelObject);
}

async function submit({ cluster }: World, { name, bytes, want }: PlannedModel): Promise<void> {
  const model = { uri: `https://models.test/${name}.onnx`, digest: sha256(bytes), format: "onnx" as const };
  await cluster.tasks.create(aTask(name, { model, ...(want === "QuorumApproved" ? {} : { deadlineSeconds }) }));
}

/** One is exchanged for another of the same name while it is looked at, and one's spec is changed. */
async function replace(world: World, afterMs: number): Promise<void> {
  const ref = { namespace: "default", name: exchanged.name };
  await create(world, { ...exchanged, bytes: aGoodModel(40) });
  await sleep(afterMs);
  await world.client.delete(ref);
  await create(world, exchanged);
  await submit(world, exchanged);
  const changed = { namespace: "default", name: "good-0" };
  await world.client.patch(changed, { kind: "merge", body: { spec: { license: "MIT" } } });
}

/** Of a source that is down at first. */
const late: PlannedModel = { name: "late", bytes: aGoodModel(41), want: "QuorumApproved" };

/** Whoever could not fetch it has not voted; later it is there. */
async function playOutage(world: World, timeoutMs: number): Promise<PlannedModel[]> {
  await Promise.all([create(world, late), submit(world, late)]);
  await waitUntil("the outage is noticed", timeoutMs, async () => {
    const { status } = await world.client.get({ namespace: "default", name: late.name });
    return (status?.attempts ?? 0) > 0;
  });
  world.source.setOpen(true);
  return [late];
}

const approvedOf = ({ status }: ModelObject) => status?.conditions?.find(({ type }) => type === "Approved");

async function checkModel({ client, cluster }: World, one: PlannedModel, timeoutMs: number): Promise<string[]> {
  const ref = { namespace: "default", name: one.name };
  const model = await waitUntil(`Model ${one.name} is decided`, timeoutMs, async () => {
    const found = await client.get(ref);
    const isNow = found.status?.approval?.generation === found.metadata.generation;
    return isNow && approvedOf(found)?.status !== "Unknown" && found;
  });
  const { findings, approval } = model.status ?? {};
  const reason = approvedOf(model)?.reason;
  const lies = approval?.validators.some(({ address }) => address === cluster.member(liar).signer.address);
  return [
    ...(reason === one.want ? [] : [`decision: ${one.name} is ${reason}; expected ${one.want}`]),
    ...(findings?.bytes === one.bytes.length
      ? []
      : [`finding: ${one.name} has ${findings?.bytes} bytes in its status`]),
    ...(lies ? [`finding: ${one.name} is decided by the one that lies`] : []),
  ];
}

async function checkTasks({ cluster }: World, all: readonly PlannedModel[], timeoutMs: number): Promise<string[]> {
  const problems: string[] = [];
  const unknown = { name: "unknown", want: "none" };
  for (const { name, want } of [...all, unknown]) {
    const phase = await waitUntil(`task ${name} ends`, timeoutMs, async () => {
      const { status } = await cluster.tasks.get({ namespace: "default", name });
      return status?.phase === "Succeeded" || status?.phase === "Failed" ? status.phase : undefined;
    });
    const wanted = want === "QuorumApproved" ? "Succeeded" : "Failed";
    if (phase !== wanted) problems.push(`task: ${name} has ${phase}; expected ${wanted}`);
  }
  return problems;
}

/** Every decision that is ever seen, by Model and generation of its spec. */
function watchDecisions({ transport }: Cluster) {
  const seen = new Map<string, Set<string>>();
  const informer = createInformer<ModelObject>(transport, models, { namespace: "default" });
  informer.onEvent(({ type, object }) => {
    const { approval } = object.status ?? {};
    if (type === "deleted" || approval === undefined) return;
    const key = `${object.metadata.name}/${object.metadata.uid}/${approval.generation}`;
    seen.set(key, (seen.get(key) ?? new Set()).add(`${approval.at} ${approval.findingsHash}`));
  });
  informer.start();
  return {
    check: () =>
      [...seen].flatMap(([key, decisions]) =>
        decisions.size === 1 ? [] : [`once: ${key} was decided ${decisions.size} times: ${[...decisions].join(", ")}`],
      ),
    stop: () => informer.stop(),
  };
}

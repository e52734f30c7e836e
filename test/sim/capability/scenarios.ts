/**
 * Who takes part: honest machines of several kinds, and the frauds and accidents that other networks have met. For each the
 * rung at which it must fail, or that it must reach.
 */
import { a100Sxm80, l4, p4, rtx4070 } from "../../../src/embedded/nodes/gpu-model.ts";
import {
  type Behaviour,
  claimGpus,
  claimNothing,
  gpuModels,
  type Machine,
  type Random,
  realCpu,
  realGpus,
} from "./machine.ts";

export interface Cast {
  readonly name: string;
  readonly honest: boolean;
  /** Condition CapabilityProven's reason in the end, under the policy that GPUs count only once challenged. */
  readonly want: string;
  /** The name of the rung for people. */
  readonly rung: string;
  build(name: string, random: Random): Machine | readonly Machine[];
}

const early = "2026-01-01T00:00:00Z";
const late = "2026-02-01T00:00:00Z";
const compute: Behaviour = { kind: "compute" };
const pick = <T>(values: readonly T[], random: Random): T => values[Math.floor(random() * values.length)]!;
const paceOf = (random: Random) => 0.65 + random() * 0.35;

/** An A100 that is not there: everything on the node is forged, and it fits together. */
function forged(name: string, random: Random, parts: Pick<Machine, "truth" | "behaviour">): Machine {
  return { name, scenario: "", createdAt: early, ...claimGpus(name, { model: a100Sxm80, count: 1 }, random), ...parts };
}

const honest = (
  name: string,
  random: Random,
  parts: Partial<Machine> & { count?: number; models?: typeof gpuModels },
) => {
  const { count = 1 + Math.floor(random() * 4), models = gpuModels, ...rest } = parts;
  const claim = { model: pick(models, random), count };
  const truth = realGpus(claim, paceOf(random));
  return {
    name,
    scenario: "",
    createdAt: early,
    behaviour: compute,
    truth,
    ...claimGpus(name, claim, random),
    ...rest,
  };
};

export const casts: readonly Cast[] = [
  {
    ...{ name: "honest-gpu", honest: true, want: "Challenged", rung: "Challenged" },
    build: (name, random) => honest(name, random, {}),
  },
  {
    ...{ name: "honest-cpu", honest: true, want: "Challenged", rung: "Challenged" },
    build: (name) => ({
      name,
      scenario: "",
      createdAt: early,
      behaviour: compute,
      truth: realCpu(0.05),
      ...claimNothing(name),
    }),
  },
  {
    ...{ name: "honest-time-sliced", honest: true, want: "Challenged", rung: "Challenged" },
    build: (name, random) => {
      const machine = honest(name, random, { count: 1 });
      const replicas = { "nvidia.com/gpu.replicas": "4", "nvidia.com/gpu.sharing-strategy": "time-slicing" };
      const gpus = machine.truth.gpus.map((gpu) => ({ ...gpu, memoryMiB: gpu.memoryMiB / 4 }));
      const capacity = { ...machine.capacity, "nvidia.com/gpu": "4" };
      return { ...machine, labels: { ...machine.labels, ...replicas }, capacity, truth: { ...machine.truth, gpus } };
    },
  },
  {
    ...{ name: "override-upwards", honest: true, want: "Challenged", rung: "Challenged" },
    build: (name, random) => honest(name, random, { tierOverride: "High" }),
  },
  {
    ...{ name: "fake-nvidia-smi", honest: false, want: "Declared", rung: "Inspected" },
    build: (name, random) => {
      const { document } = claimGpus(name, { model: a100Sxm80, count: 8 }, random);
      return { ...forged(name, random, { truth: realCpu(0.05), behaviour: compute }), ...claimNothing(name), document };
    },
  },
  {
    ...{ name: "absurd-gpu-count", honest: false, want: "Disputed", rung: "Inspected" },
    build: (name, random) => {
      const machine = honest(name, random, { count: 1 });
      const absurd = "18446744073709551615";
      const [document, capacity] = pick(
        [
          [machine.document?.replace("<attached_gpus>1<", `<attached_gpus>${absurd}<`), machine.capacity],
          [machine.document, { ...machine.capacity, "nvidia.com/gpu": absurd }],
          [machine.document?.replace(/<used>\d+ MiB/, `<used>${absurd} MiB`), machine.capacity],
        ] as const,
        random,
      );
      return { ...machine, document, capacity };
    },
  },
  {
    ...{ name: "labels-disagree", honest: false, want: "Disputed", rung: "Inspected" },
    build: (name, random) => {
      const machine = honest(name, random, { count: 1, models: [p4, p4, p4, p4] });
      return { ...machine, labels: { ...machine.labels, "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB" } };
    },
  },
  {
    ...{ name: "unhealthy-gpu", honest: false, want: "Challenged", rung: "its GPUs are left out" },
    build: (name, random) => {
      const machine = honest(name, random, { count: 1, models: [a100Sxm80, l4, a100Sxm80, l4] });
      const document = machine.document
        ?.replaceAll(/<dram_uncorrectable>0</g, "<dram_uncorrectable>3<")
        .replaceAll(/(<double_bit>[\s\S]*?<total>)0(<\/total>)/g, "$13$2");
      return { ...machine, document, truth: { ...machine.truth, gpus: [] } };
    },
  },
  {
    ...{ name: "duplicate-uuid", honest: false, want: "DuplicateGpu", rung: "Inspected" },
    build: (name, random) => {
      const owner = honest(`${name}-owner`, random, { count: 1 });
      const copy = { ...forged(name, random, { truth: realCpu(1), behaviour: compute }), document: owner.document };
      const { labels, capacity } = owner;
      return [
        { ...owner, scenario: "honest-gpu" },
        { ...copy, labels, capacity, createdAt: late },
      ];
    },
  },
  {
    ...{ name: "banned-uuid", honest: false, want: "Banned", rung: "Inspected" },
    build: (name, random) => honest(name, random, { banned: true }),
  },
  {
    ...{ name: "cpu-imposter", honest: false, want: "ChallengeFailed", rung: "Challenged" },
    build: (name, random) => forged(name, random, { truth: realCpu(0.05 + random() * 3), behaviour: compute }),
  },
  {
    ...{ name: "cpu-imposter-says-so", honest: false, want: "ChallengeFailed", rung: "Challenged" },
    build: (name, random) =>
      forged(name, random, {
        truth: realCpu(1),
        behaviour: { kind: "decline", reason: pick(["NoDevice", "Stopped"], random) },
      }),
  },
  {
    ...{ name: "slower-than-claimed", honest: false, want: "ChallengeFailed", rung: "Challenged" },
    build: (name, random) => forged(name, random, { truth: realGpus({ model: p4, count: 1 }, 1), behaviour: compute }),
  },
  {
    ...{ name: "throttled", honest: false, want: "ChallengeFailed", rung: "Challenged" },
    build: (name, random) => {
      const machine = honest(name, random, { count: 1 });
      const { operationsPerSecond, bytesPerSecond } = machine.truth;
      const slow = { gpus: [], operationsPerSecond: operationsPerSecond * 0.12, bytesPerSecond: bytesPerSecond * 0.12 };
      return { ...machine, truth: { ...machine.truth, ...slow } };
    },
  },
  {
    ...{ name: "less-memory-than-claimed", honest: false, want: "ChallengeFailed", rung: "Challenged" },
    build: (name, random) => {
      const truth = { ...realGpus({ model: a100Sxm80, count: 1 }, 1), memoryBytes: (8 + random() * 16) * 2 ** 30 };
      return forged(name, random, {
        truth: { ...truth, gpus: [{ memoryMiB: 8_192, computeCapability: "8.0" }] },
        behaviour: compute,
      });
    },
  },
  {
    ...{ name: "one-gpu-as-eight", honest: false, want: "ChallengeFailed", rung: "Challenged" },
    build: (name, random) => {
      const model = pick([a100Sxm80, l4, rtx4070], random);
      const truth = realGpus({ model, count: 1 }, 1);
      return {
        ...forged(name, random, { truth, behaviour: compute }),
        ...claimGpus(name, { model, count: 8 }, random),
      };
    },
  },
  {
    ...{ name: "computes-a-part", honest: false, want: "WrongResult", rung: "Challenged" },
    build: (name, random) =>
      forged(name, random, { truth: realCpu(1), behaviour: { kind: "part", share: random() * 0.05 } }),
  },
  {
    ...{ name: "replays-an-answer", honest: false, want: "WrongResult", rung: "Challenged" },
    build: (name, random) => forged(name, random, { truth: realCpu(1), behaviour: { kind: "replay" } }),
  },
  {
    ...{ name: "never-answers", honest: false, want: "ChallengeFailed", rung: "Challenged" },
    build: (name, random) => forged(name, random, { truth: realCpu(1), behaviour: { kind: "silent" } }),
  },
  {
    ...{ name: "writes-its-own-level", honest: false, want: "ChallengeFailed", rung: "Challenged" },
    build: (name, random) => ({
      ...forged(name, random, { truth: realCpu(1), behaviour: compute }),
      writesLevel: pick(["Challenged", "Attested"] as const, random),
    }),
  },
  {
    ...{ name: "says-it-is-simulated", honest: false, want: "Simulated", rung: "Inspected" },
    build: (name, random) => {
      const machine = forged(name, random, { truth: realCpu(1), behaviour: compute });
      const marker = "<inferium_simulated>true</inferium_simulated><attached_gpus>";
      return { ...machine, document: machine.document?.replace("<attached_gpus>", marker) };
    },
  },
  {
    ...{ name: "forged-amd-labels", honest: false, want: "NotChallenged", rung: "Challenged" },
    build: (name) => {
      const { labels, capacity } = claimNothing(name);
      const amd = { "amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM", "amd.com/gpu.vram": "192G" };
      const machine = {
        name,
        scenario: "",
        createdAt: early,
        behaviour: compute,
        truth: realCpu(0.05),
        document: undefined,
      };
      return { ...machine, labels: { ...labels, ...amd }, capacity: { ...capacity, "amd.com/gpu": "8" } };
    },
  },
];

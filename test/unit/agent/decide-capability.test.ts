import { describe, expect, test } from "vitest";
import { decideCapability, type Observation } from "../../../src/agent/decide-capability.ts";
import { defaultTierThresholds } from "../../../src/protocol/tier.ts";
import { aGpuReading, aReading, aSlice, type NodeParts, type SliceParts, someFacts } from "./a-reading.ts";

const policy = { thresholds: defaultTierThresholds, minimumLevel: "Inspected" } as const;
const read = (parts: Parameters<typeof aReading>[0] = {}): Observation => ({ kind: "Read", reading: aReading(parts) });
const noGpu: Observation = { kind: "NoGpu", message: "there is no nvidia-smi" };
const gpus = (count: number, parts: Parameters<typeof aGpuReading>[0] = {}) =>
  Array.from({ length: count }, (_, index) => aGpuReading({ uuid: `GPU-${index}-0000-1111`, ...parts }));
const instance = (index: number) => ({ index, gpuInstanceId: index, memoryMiB: 19_968, profile: "1g.20gb" });
const cut = gpus(1, { migEnabled: true, migInstances: [instance(1), instance(2), instance(3), instance(4)] });

interface Case {
  name: string;
  observation: Observation;
  node?: NodeParts;
  want: { level: string; tier: string; objections?: readonly unknown[] };
}

describe("decideCapability", () => {
  const cases: readonly Case[] = [
    {
      name: "a reading that nobody confirms is only declared, and counts for nothing",
      observation: read(),
      want: { level: "Declared", tier: "Low" },
    },
    {
      name: "the node's capacity confirms a reading",
      observation: read({ gpus: gpus(4) }),
      node: { capacity: { gpu: "4" } },
      want: { level: "Inspected", tier: "High" },
    },
    {
      name: "labels confirm a reading",
      observation: read(),
      node: { labels: { "gpu.product": "NVIDIA-A100-SXM4-80GB", "gpu.count": "1", "gpu.memory": "81920" } },
      want: { level: "Inspected", tier: "High" },
    },
    {
      name: "capacity that says more GPUs contradicts it",
      observation: read(),
      node: { capacity: { gpu: "8" } },
      want: { level: "Declared", tier: "Low", objections: [expect.stringContaining("capacity is 8")] },
    },
    {
      name: "an absurd capacity contradicts it",
      observation: read(),
      node: { capacity: { gpu: "18446744073709551615" } },
      want: { level: "Declared", tier: "Low", objections: [expect.stringContaining("not a count")] },
    },
    {
      name: "a label with another product contradicts it, whatever else agrees",
      observation: read(),
      node: { capacity: { gpu: "1" }, labels: { "gpu.product": "Tesla-T4" } },
      want: { level: "Declared", tier: "Low", objections: ["labels say Tesla-T4, nvidia-smi NVIDIA A100-SXM4-80GB"] },
    },
    {
      name: "a product whose name only begins alike is another one",
      observation: read({ gpus: [aGpuReading({ product: "NVIDIA L4", memoryMiB: 23_034 })] }),
      node: { labels: { "gpu.product": "NVIDIA-L40S" } },
      want: { level: "Declared", tier: "Low", objections: ["labels say NVIDIA-L40S, nvidia-smi NVIDIA L4"] },
    },
    {
      name: "a label with other memory contradicts it",
      observation: read(),
      node: { labels: { "gpu.product": "NVIDIA-A100-SXM4-80GB", "gpu.memory": "40960" } },
      want: { level: "Declared", tier: "Low", objections: ["labels say 40960 MiB, nvidia-smi 81920 MiB"] },
    },
    {
      name: "a GPU in quarantine is held against the rest",
      observation: read({ quarantined: [{ index: 1, uuid: undefined, reason: "its UUID is reported 2 times" }] }),
      node: { capacity: { gpu: "1" } },
      want: {
        level: "Declared",
        tier: "Low",
        objections: ["GPU 1 is not believed: its UUID is reported 2 times"],
      },
    },
    {
      name: "GPUs that are counted and not described are held against it",
      observation: read({ attachedGpus: 4 }),
      node: { capacity: { gpu: "1" } },
      want: { level: "Declared", tier: "Low", objections: ["nvidia-smi describes 1 of 4 GPUs"] },
    },
    {
      name: "MIG strategy single: capacity counts instances, labels describe one",
      observation: read({ gpus: cut }),
      node: {
        capacity: { gpu: "4" },
        labels: {
          "gpu.product": "NVIDIA-A100-SXM4-80GB-MIG-1g.20gb",
          "gpu.count": "4",
          "gpu.memory": "19968",
          "mig.strategy": "single",
        },
      },
      want: { level: "Inspected", tier: "Mid" },
    },
    {
      name: "MIG strategy single with replicas: capacity counts the replicas of instances",
      observation: read({ gpus: cut }),
      node: { capacity: { gpu: "8" }, labels: { "gpu.replicas": "2", "mig.strategy": "single" } },
      want: { level: "Inspected", tier: "Low" },
    },
    {
      name: "MIG strategy mixed: capacity is under the profile's name",
      observation: read({ gpus: cut }),
      node: { capacity: { gpu: "0", "mig-1g.20gb": "4" }, labels: { "mig.strategy": "mixed" } },
      want: { level: "Inspected", tier: "Mid" },
    },
    {
      name: "time slicing: capacity counts replicas, and the tier is a replica's",
      observation: read(),
      node: {
        capacity: { gpu: "4" },
        labels: { "gpu.product": "NVIDIA-A100-SXM4-80GB-SHARED", "gpu.replicas": "4", "gpu.count": "1" },
      },
      want: { level: "Inspected", tier: "Mid" },
    },
    {
      name: "renamed shared GPUs count too",
      observation: read(),
      node: { capacity: { "gpu.shared": "4" }, labels: { "gpu.replicas": "4" } },
      want: { level: "Inspected", tier: "Mid" },
    },
    {
      name: "no GPU by every source is inspected",
      observation: noGpu,
      want: { level: "Inspected", tier: "Low" },
    },
    {
      name: "no GPU by nvidia-smi where the node has some is contradicted",
      observation: noGpu,
      node: { capacity: { gpu: "2" } },
      want: { level: "Declared", tier: "Low", objections: [expect.stringContaining("capacity is 2")] },
    },
    {
      name: "hardware that cannot be read is Low, whatever the node says",
      observation: { kind: "Unreadable", message: "TimedOut: it hangs" },
      node: { capacity: { gpu: "1" }, labels: { "gpu.product": "NVIDIA-A100-SXM4-80GB" } },
      want: { level: "Declared", tier: "Low", objections: ["TimedOut: it hangs"] },
    },
    {
      name: "an unhealthy GPU does not raise the tier",
      observation: read({ gpus: gpus(1, { faults: ["uncorrected memory errors"] }) }),
      node: { capacity: { gpu: "1" } },
      want: { level: "Inspected", tier: "Low" },
    },
    {
      name: "labels give the capability of a product that the table does not know",
      observation: read({ gpus: gpus(1, { product: "NVIDIA Z1", architecture: "Rubin" }) }),
      node: {
        capacity: { gpu: "1" },
        labels: { "gpu.product": "NVIDIA-Z1", "gpu.compute.major": "13", "gpu.compute.minor": "0" },
      },
      want: { level: "Inspected", tier: "High" },
    },
    {
      name: "two kinds of GPU, of which the labels describe one",
      observation: read({
        gpus: [
          aGpuReading(),
          aGpuReading({ uuid: "GPU-t4-0000", product: "Tesla T4", architecture: "Turing", memoryMiB: 15_360 }),
        ],
      }),
      node: { capacity: { gpu: "2" }, labels: { "gpu.product": "NVIDIA-A100-SXM4-80GB", "gpu.memory": "81920" } },
      want: { level: "Inspected", tier: "Mid" },
    },
  ];
  test.each(cases)("$name", ({ observation, node, want }) => {
    const { level, tier, objections } = decideCapability(observation, someFacts(node), policy);
    expect({ level, tier, objections }).toEqual({ objections: [], ...want });
  });

  test("where the policy takes declared hardware, it counts unless contradicted", () => {
    const trusting = { ...policy, minimumLevel: "Declared" } as const;
    expect(decideCapability(read(), someFacts(), trusting)).toMatchObject({ level: "Declared", tier: "High" });
    const disputed = decideCapability(read(), someFacts({ capacity: { gpu: "8" } }), trusting);
    expect(disputed).toMatchObject({ level: "Declared", tier: "Low" });
  });
});

describe("what a DRA driver publishes", () => {
  const uuid = "GPU-bc561000-79c8-fedd-8899-07539c7f868a";
  const hopper = aGpuReading({ uuid, product: "NVIDIA H100 80GB HBM3", architecture: undefined, memoryMiB: 81_559 });
  const decide = (devices: readonly SliceParts[], observation: Observation = read({ gpus: [hopper] })) =>
    decideCapability(observation, someFacts({ slices: [aSlice(devices)] }), policy);

  test.each<{ name: string; device: SliceParts; want: object }>([
    { name: "the same GPU confirms", device: { uuid }, want: { level: "Inspected", tier: "High", objections: [] } },
    {
      name: "another UUID contradicts",
      device: { uuid: "GPU-99999999-0000" },
      want: { level: "Declared", objections: [expect.stringContaining("knows nothing of GPU-99999999-0000")] },
    },
    {
      name: "another product contradicts",
      device: { uuid, product: "NVIDIA A100-SXM4-80GB" },
      want: { level: "Declared", tier: "Low" },
    },
    { name: "more memory contradicts", device: { uuid, memory: "141312Mi" }, want: { level: "Declared" } },
    {
      name: "a MIG device on a GPU without MIG contradicts",
      device: { uuid, type: "mig" },
      want: { level: "Declared" },
    },
  ])("$name", ({ device, want }) => {
    expect(decide([device])).toMatchObject(want);
  });

  test("a GPU that no slice names contradicts", () => {
    const two = read({ gpus: [hopper, aGpuReading({ uuid: "GPU-11111111-0000" })] });
    expect(decide([{ uuid }], two)).toMatchObject({ level: "Declared" });
  });

  test("its compute capability goes before the table", () => {
    const unknown = read({ gpus: [aGpuReading({ uuid, product: "NVIDIA X1", architecture: "Rubin" })] });
    const device = { uuid, product: "NVIDIA X1", memory: "81920Mi" };
    expect(decide([device], unknown)).toMatchObject({ level: "Inspected", tier: "High" });
  });

  test("slices of another driver say nothing", () => {
    const facts = someFacts({ slices: [{ ...aSlice([{ uuid }]), spec: { driver: "other.example.com" } }] });
    expect(facts.devices).toEqual([]);
  });
});

describe("GPUs of other vendors, by labels and capacity", () => {
  const amd = (vram: string | undefined, capacity: string | undefined) =>
    someFacts({
      otherLabels: { "amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM", ...(vram && { "amd.com/gpu.vram": vram }) },
      otherCapacity: capacity === undefined ? {} : { "amd.com/gpu": capacity },
    });
  const intel = (product: string, capacity: string) =>
    someFacts({
      otherLabels: { "gpu.intel.com/product": product, "gpu.intel.com/device.count": "2" },
      otherCapacity: { "gpu.intel.com/i915": capacity },
    });

  test.each<{ name: string; facts: ReturnType<typeof someFacts>; want: object }>([
    {
      name: "eight MI300X are High",
      facts: amd("192G", "8"),
      want: { level: "Inspected", tier: "High", objections: [] },
    },
    { name: "a card of 16 GiB is Mid", facts: amd("16G", "1"), want: { level: "Inspected", tier: "Mid" } },
    {
      name: "labels without capacity are only declared",
      facts: amd("192G", undefined),
      want: { level: "Declared", tier: "Low" },
    },
    {
      name: "an absurd capacity is only declared",
      facts: amd("192G", "18446744073709551615"),
      want: { level: "Declared" },
    },
    { name: "without memory nothing is known", facts: amd(undefined, "8"), want: { level: "Declared", tier: "Low" } },
    { name: "two Max 1550 are High", facts: intel("Max_1550", "2"), want: { level: "Inspected", tier: "High" } },
    {
      name: "each offered four times is as good",
      facts: intel("Flex_170", "8"),
      want: { level: "Inspected", tier: "Mid" },
    },
    {
      name: "a count that does not fit is only declared",
      facts: intel("Max_1550", "3"),
      want: { level: "Declared", tier: "Low" },
    },
    {
      name: "an unknown product has no memory",
      facts: intel("toString", "2"),
      want: { level: "Declared", tier: "Low" },
    },
  ])("$name", ({ facts, want }) => {
    expect(decideCapability(noGpu, facts, policy)).toMatchObject(want);
  });
});

test("an Xid error that the node's conditions tell of leaves no healthy GPU", () => {
  const facts = someFacts({
    capacity: { gpu: "1" },
    conditions: [{ type: "GpuXidCriticalError", status: "True", reason: "Xid79" }],
  });
  expect(facts.faults).toEqual(["the node's condition GpuXidCriticalError holds (Xid79)"]);
  expect(decideCapability(read(), facts, policy)).toMatchObject({ level: "Inspected", tier: "Low" });
  const over = someFacts({ capacity: { gpu: "1" }, conditions: [{ type: "GpuXidCriticalError", status: "False" }] });
  expect(decideCapability(read(), over, policy).tier).toBe("High");
});

import { describe, expect, test } from "vitest";
import { buildLabels } from "../../../src/agent/build-labels.ts";
import { buildStatus, isNews, type StatusInput } from "../../../src/agent/build-status.ts";
import type { WorkerNodeStatus } from "../../../src/api/v1alpha1/generated/workernodes.ts";
import { aGpuReading, aReading, type NodeParts, someFacts } from "./a-reading.ts";

const now = "2026-02-03T04:05:06.000Z";

function anInput(parts: Partial<StatusInput> = {}, node: NodeParts = {}): StatusInput {
  return {
    observation: { kind: "Read", reading: aReading() },
    capability: { level: "Inspected", tier: "High", objections: [] },
    facts: someFacts(node),
    simulated: false,
    now,
    ...parts,
  };
}

/** As it comes back from the API, with the parts that others own. */
const asStored = (status: ReturnType<typeof buildStatus>): WorkerNodeStatus => ({ observedGeneration: 3, ...status });

describe("buildStatus", () => {
  test("says what was read, in the API's terms", () => {
    expect(buildStatus(anInput(), {})).toEqual({
      tier: "High",
      capability: { level: "Inspected", provenAt: now },
      hardware: {
        source: "NvidiaSmi",
        simulated: false,
        summary: "1x NVIDIA A100-SXM4-80GB, 81920 MiB",
        readAt: now,
        driverVersion: "535.183.06",
        cudaVersion: "12.2",
        gpus: [
          {
            uuid: "GPU-0000-1111",
            product: "NVIDIA A100-SXM4-80GB",
            architecture: "Ampere",
            memoryMiB: 81_920,
            memoryUsedMiB: 4,
            unitMemoryMiB: 81_920,
            computeCapability: "8.0",
            healthy: true,
            migEnabled: false,
          },
        ],
      },
    });
  });

  test("an owner's override lowers the tier and never raises it", () => {
    expect(buildStatus(anInput(), { tierOverride: "Mid" }).tier).toBe("Mid");
    const low = anInput({ capability: { level: "Inspected", tier: "Low", objections: [] } });
    expect(buildStatus(low, { tierOverride: "High" }).tier).toBe("Low");
  });

  test("the time of proof stays while the level stays, and goes with it", () => {
    const old = asStored(buildStatus(anInput({ now: "2026-01-01T00:00:00.000Z" }), {}));
    expect(buildStatus(anInput(), {}, old).capability.provenAt).toBe("2026-01-01T00:00:00.000Z");
    const declared = anInput({ capability: { level: "Declared", tier: "Low", objections: ["x"] } });
    expect(buildStatus(declared, {}, old).capability).toEqual({ level: "Declared" });
  });

  const summaries: readonly { name: string; parts: Partial<StatusInput>; want: string }[] = [
    { name: "no GPU", parts: { observation: { kind: "NoGpu", message: "m" } }, want: "no GPU" },
    {
      name: "hardware that cannot be read",
      parts: { observation: { kind: "Unreadable", message: "TimedOut: no answer" } },
      want: "unreadable: TimedOut: no answer",
    },
    {
      name: "a dispute",
      parts: { capability: { level: "Declared", tier: "Low", objections: ["labels say T4"] } },
      want: "1x NVIDIA A100-SXM4-80GB, 81920 MiB; disputed: labels say T4",
    },
    {
      name: "a simulation by configuration",
      parts: { simulated: true },
      want: "1x NVIDIA A100-SXM4-80GB, 81920 MiB (simulated)",
    },
    {
      name: "a simulation by the document",
      parts: { observation: { kind: "Read", reading: aReading({ simulated: true }) } },
      want: "1x NVIDIA A100-SXM4-80GB, 81920 MiB (simulated)",
    },
    {
      name: "several kinds, instances and a fault",
      parts: {
        observation: {
          kind: "Read",
          reading: aReading({
            gpus: [
              aGpuReading(),
              aGpuReading({ uuid: "GPU-b", faults: ["a reset is required"] }),
              aGpuReading({
                uuid: "GPU-c",
                product: "NVIDIA A30",
                memoryMiB: 24_576,
                migEnabled: true,
                migInstances: [{ index: 0, gpuInstanceId: 1, memoryMiB: 5_952, profile: "1g.6gb" }],
              }),
            ],
          }),
        },
      },
      want: "2x NVIDIA A100-SXM4-80GB, 81920 MiB + 1x NVIDIA A30, 24576 MiB, 1 MIG instances, 1 unhealthy",
    },
  ];
  test.each(summaries)("the summary tells of $name", ({ parts, want }) => {
    expect(buildStatus(anInput(parts), {}).hardware.summary).toBe(want);
  });

  test("a long summary is cut to the API's bound and still says that it is simulated", () => {
    const observation = { kind: "Unreadable", message: "x".repeat(1_000) } as const;
    const { summary = "" } = buildStatus(anInput({ observation, simulated: true }), {}).hardware;
    expect(summary).toHaveLength(256);
    expect(summary.endsWith("… (simulated)")).toBe(true);
  });

  test("an instance without a known profile is named by its memory", () => {
    const migInstances = [{ index: 0, gpuInstanceId: 1, memoryMiB: 5_984, profile: undefined }];
    const reading = aReading({ gpus: [aGpuReading({ migEnabled: true, migInstances })] });
    const { gpus } = buildStatus(anInput({ observation: { kind: "Read", reading } }), {}).hardware;
    expect(gpus[0]?.migProfiles).toEqual(["5984MiB"]);
  });
});

describe("isNews", () => {
  const stored = asStored(buildStatus(anInput(), {}));
  const later = { now: "2026-02-03T05:00:00.000Z" };
  const reading = (parts: Parameters<typeof aGpuReading>[0]) =>
    ({ kind: "Read", reading: aReading({ gpus: [aGpuReading(parts)] }) }) as const;

  test.each<{ name: string; parts: Partial<StatusInput>; want: boolean }>([
    { name: "the same hardware an hour later", parts: later, want: false },
    { name: "other memory in use", parts: { observation: reading({ memoryUsedMiB: 70_000 }) }, want: false },
    { name: "a fault", parts: { observation: reading({ faults: ["a reset is required"] }) }, want: true },
    { name: "MIG turned on", parts: { observation: reading({ migEnabled: true }) }, want: true },
    { name: "another GPU", parts: { observation: reading({ uuid: "GPU-other" }) }, want: true },
    { name: "another level", parts: { capability: { level: "Declared", tier: "High", objections: [] } }, want: true },
    { name: "another tier", parts: { capability: { level: "Inspected", tier: "Mid", objections: [] } }, want: true },
    { name: "a simulation", parts: { simulated: true }, want: true },
  ])("$name: $want", ({ parts, want }) => {
    expect(isNews(stored, buildStatus(anInput(parts), {}, stored))).toBe(want);
  });

  test("a status that was never written, or that lost a part, is news", () => {
    const next = buildStatus(anInput(), {});
    expect(isNews(undefined, next)).toBe(true);
    const { tier: _, ...withoutTier } = stored;
    expect(isNews(withoutTier, next)).toBe(true);
  });

  test("the order of the fields as they come back does not matter", () => {
    const backwards = Object.fromEntries(Object.entries(stored.hardware ?? {}).reverse());
    const reordered = { ...stored, hardware: backwards as unknown as NonNullable<typeof stored.hardware> };
    expect(isNews(reordered, buildStatus(anInput(later), {}, stored))).toBe(false);
  });
});

describe("buildLabels", () => {
  test("tells the facts where GPU feature discovery does not", () => {
    expect(buildLabels(anInput())).toEqual({
      "inferium.io/tier": "High",
      "inferium.io/simulated": "false",
      "inferium.io/gpu.product": "NVIDIA-A100-SXM4-80GB",
      "inferium.io/gpu.count": "1",
      "inferium.io/gpu.memory": "81920",
    });
  });

  test("leaves them to GPU feature discovery where it runs", () => {
    const node = { labels: { "gpu.product": "NVIDIA-A100-SXM4-80GB" } };
    expect(Object.keys(buildLabels(anInput({}, node)))).toEqual(["inferium.io/tier", "inferium.io/simulated"]);
  });

  test("makes a legal label value of any product", () => {
    const reading = aReading({
      gpus: [aGpuReading({ product: "(Graphics) Device / <new> with a name beyond sixty-three characters...!" })],
    });
    const value = buildLabels(anInput({ observation: { kind: "Read", reading } }))["inferium.io/gpu.product"];
    expect(value).toMatch(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);
  });
});

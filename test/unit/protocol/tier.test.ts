import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  applyTierOverride,
  compareTiers,
  computeTier,
  defaultTierThresholds,
  isAtLeast,
  parseTierThresholds,
  type TierGpu,
  type TierHardware,
  tiers,
} from "../../../src/protocol/tier.ts";

const a100 = { memoryMiB: 81_920, computeCapability: "8.0" };
const l4 = { memoryMiB: 23_034, computeCapability: "8.9" };
const p4 = { memoryMiB: 7_680, computeCapability: "6.1" };

describe("computeTier", () => {
  const cases: readonly { name: string; hardware: TierHardware; want: string }[] = [
    { name: "no GPU is Low", hardware: { gpus: [] }, want: "Low" },
    { name: "an A100 is High", hardware: { gpus: [a100] }, want: "High" },
    { name: "exactly the threshold is enough", hardware: { gpus: [{ ...a100, memoryMiB: 40_000 }] }, want: "High" },
    { name: "one MiB less is not", hardware: { gpus: [{ ...a100, memoryMiB: 39_999 }] }, want: "Mid" },
    { name: "an L4 is Mid", hardware: { gpus: [l4] }, want: "Mid" },
    { name: "a P4 is Low", hardware: { gpus: [p4] }, want: "Low" },
    {
      name: "much memory on an old architecture is no more than its capability",
      hardware: { gpus: [{ memoryMiB: 81_920, computeCapability: "7.5" }] },
      want: "Mid",
    },
    { name: "a GPU of unknown capability is Low", hardware: { gpus: [{ memoryMiB: 81_920 }] }, want: "Low" },
    {
      name: "compute capability 12.0 is above 8.0",
      hardware: { gpus: [{ memoryMiB: 97_887, computeCapability: "12.0" }] },
      want: "High",
    },
    { name: "the weakest GPU decides", hardware: { gpus: [a100, l4] }, want: "Mid" },
    { name: "an unhealthy GPU does not count", hardware: { gpus: [a100, { ...p4, healthy: false }] }, want: "High" },
    { name: "with no healthy GPU left it is Low", hardware: { gpus: [{ ...a100, healthy: false }] }, want: "Low" },
    {
      name: "MIG lowers to the instance's memory",
      hardware: { gpus: [{ ...a100, instanceMemoryMiB: [19_968, 19_968] }] },
      want: "Mid",
    },
    {
      name: "an instance of half an A100 80 GB stays High",
      hardware: { gpus: [{ ...a100, instanceMemoryMiB: [40_192, 40_192] }] },
      want: "High",
    },
    {
      name: "the smallest instance decides",
      hardware: { gpus: [{ ...a100, instanceMemoryMiB: [40_192, 9_728] }] },
      want: "Low",
    },
    {
      name: "MIG on without an instance is Low",
      hardware: { gpus: [{ ...a100, instanceMemoryMiB: [] }] },
      want: "Low",
    },
    { name: "replicas share the memory", hardware: { gpus: [a100], replicas: 4 }, want: "Mid" },
    { name: "replicas of 0 change nothing", hardware: { gpus: [a100], replicas: 0 }, want: "High" },
    { name: "memory that is no number is Low", hardware: { gpus: [{ ...a100, memoryMiB: Number.NaN }] }, want: "Low" },
  ];
  test.each(cases)("$name", ({ hardware, want }) => {
    expect(computeTier(hardware)).toBe(want);
  });
});

const aGpu: fc.Arbitrary<TierGpu> = fc.record(
  {
    memoryMiB: fc.integer({ min: 1, max: 200_000 }),
    computeCapability: fc.constantFrom("5.2", "6.1", "7.0", "7.5", "8.0", "8.9", "9.0", "10.0", "12.1"),
    healthy: fc.boolean(),
    instanceMemoryMiB: fc.array(fc.integer({ min: 1, max: 100_000 }), { maxLength: 7 }),
  },
  { requiredKeys: ["memoryMiB"] },
);
const someHardware = fc.record(
  { gpus: fc.array(aGpu, { maxLength: 8 }), replicas: fc.integer({ min: 1, max: 16 }) },
  { requiredKeys: ["gpus"] },
);
const aTier = fc.constantFrom(...tiers);

describe("laws of tiers", () => {
  test("more memory never lowers a tier", () => {
    fc.assert(
      fc.property(someHardware, fc.integer({ min: 0, max: 100_000 }), (hardware, more) => {
        const richer = hardware.gpus.map((gpu) => ({
          ...gpu,
          memoryMiB: gpu.memoryMiB + more,
          ...(gpu.instanceMemoryMiB ? { instanceMemoryMiB: gpu.instanceMemoryMiB.map((mib) => mib + more) } : {}),
        }));
        expect(isAtLeast(computeTier({ ...hardware, gpus: richer }), computeTier(hardware))).toBe(true);
      }),
    );
  });

  test("more replicas never raise a tier", () => {
    fc.assert(
      fc.property(someHardware, fc.integer({ min: 1, max: 16 }), (hardware, more) => {
        const shared = { ...hardware, replicas: (hardware.replicas ?? 1) + more };
        expect(isAtLeast(computeTier(hardware), computeTier(shared))).toBe(true);
      }),
    );
  });

  test("one more healthy GPU never raises the tier of hardware that has one", () => {
    fc.assert(
      fc.property(someHardware, aGpu, (hardware, gpu) => {
        const offers = [...hardware.gpus].some(
          ({ healthy, instanceMemoryMiB }) => healthy !== false && instanceMemoryMiB?.length !== 0,
        );
        fc.pre(offers);
        expect(isAtLeast(computeTier(hardware), computeTier({ ...hardware, gpus: [...hardware.gpus, gpu] }))).toBe(
          true,
        );
      }),
    );
  });

  test("an override only lowers, and lowers to exactly itself", () => {
    fc.assert(
      fc.property(aTier, aTier, (tier, override) => {
        const got = applyTierOverride(tier, override);
        expect(got).toBe(compareTiers(override, tier) < 0 ? override : tier);
      }),
    );
    expect(applyTierOverride("Mid", undefined)).toBe("Mid");
  });

  test("at-least is the order High > Mid > Low", () => {
    const wanted = [
      ["High", "High", true],
      ["High", "Low", true],
      ["Mid", "High", false],
      ["Mid", "Mid", true],
      ["Low", "Mid", false],
      ["Low", "Low", true],
    ] as const;
    for (const [tier, minimum, want] of wanted) expect(isAtLeast(tier, minimum)).toBe(want);
  });
});

describe("parseTierThresholds", () => {
  test("reads both tiers", () => {
    expect(parseTierThresholds("High=80000/9.0, Mid=24000/8.6")).toEqual({
      High: { memoryMiB: 80_000, computeCapability: "9.0" },
      Mid: { memoryMiB: 24_000, computeCapability: "8.6" },
    });
  });

  test("keeps the default of a tier that is left out", () => {
    const thresholds = parseTierThresholds("Mid=16000/7.5");
    expect(thresholds.High).toEqual(defaultTierThresholds.High);
    expect(thresholds.Mid.memoryMiB).toBe(16_000);
  });

  test.each([
    ["nonsense", "is not tier=MiB/capability"],
    ["Low=1/1.0", "is not tier=MiB/capability"],
    ["High=40000/8", "is not tier=MiB/capability"],
    ["High=9000/8.0", "High asks for less than Mid"],
    ["Mid=10000/9.0", "High asks for less than Mid"],
  ])("refuses %s", (value, problem) => {
    expect(() => parseTierThresholds(value)).toThrow(problem);
  });

  test("thresholds change the tier", () => {
    expect(computeTier({ gpus: [l4] }, parseTierThresholds("High=20000/8.0"))).toBe("High");
  });
});

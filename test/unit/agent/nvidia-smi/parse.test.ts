import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { NvidiaSmiFailure } from "../../../../src/agent/nvidia-smi/failure.ts";
import { parseNvidiaSmi } from "../../../../src/agent/nvidia-smi/parse.ts";
import { aDocument, aGpuElement, aMigMode } from "./a-document.ts";

const fixture = (name: string) =>
  readFileSync(new URL(`../../../fixtures/nvidia-smi/${name}`, import.meta.url), "utf8");
const first = (xml: string) => parseNvidiaSmi(xml).gpus[0]!;
const quarantineReasons = (xml: string) => parseNvidiaSmi(xml).quarantined.map(({ reason }) => reason);

function failureOf(xml: string): NvidiaSmiFailure {
  try {
    parseNvidiaSmi(xml);
  } catch (error) {
    if (error instanceof NvidiaSmiFailure) return error;
    throw error;
  }
  throw new Error("it was parsed");
}

describe("whole documents of each generation", () => {
  test("v11: a T4 that runs a job, with the power readings where v11 has them", () => {
    const reading = parseNvidiaSmi(fixture("t4-v11.xml"));
    expect(reading).toMatchObject({
      driverVersion: "510.47.03",
      cudaVersion: "11.6",
      quarantined: [],
      simulated: false,
    });
    expect(reading.gpus).toEqual([
      {
        uuid: "GPU-6a3c1f09-8b7d-4e52-a1c4-0f9e8d7c6b5a",
        product: "Tesla T4",
        architecture: "Turing",
        pciBusId: "00000000:3B:00.0",
        memoryMiB: 15_360,
        memoryUsedMiB: 2_417,
        utilization: 83,
        temperatureC: 61,
        powerW: 58.4,
        powerLimitW: 70,
        migEnabled: false,
        migInstances: [],
        slowdowns: [],
        faults: [],
      },
    ]);
  });

  test("v12: an H100 cut into instances, beside a whole one", () => {
    const [cut, whole] = parseNvidiaSmi(fixture("h100-mig-v12.xml")).gpus;
    expect(cut).toMatchObject({ migEnabled: true, utilization: undefined, memoryMiB: 81_559, powerW: 118.22 });
    expect(cut?.migInstances).toEqual([
      { index: 0, gpuInstanceId: 1, memoryMiB: 40_448, profile: "3g.40gb" },
      { index: 1, gpuInstanceId: 5, memoryMiB: 20_096, profile: "2g.20gb" },
      { index: 2, gpuInstanceId: 13, memoryMiB: 9_984, profile: "1g.10gb" },
    ]);
    expect(whole).toMatchObject({ migEnabled: false, migInstances: [], utilization: 0, faults: [] });
  });

  test("v11: two A100 cut into seven equal instances each, the layout of MIG strategy single", () => {
    const { gpus, attachedGpus } = parseNvidiaSmi(fixture("a100-mig-single-v11.xml"));
    expect(attachedGpus).toBe(2);
    for (const gpu of gpus) {
      expect(gpu.migInstances.map(({ profile }) => profile)).toEqual(Array.from({ length: 7 }, () => "1g.10gb"));
      expect(gpu.utilization).toBeUndefined();
    }
  });

  test("v11: a page that waits to be retired and lowered clocks, named throttle reasons there", () => {
    const [gpu] = parseNvidiaSmi(fixture("p4-retired-pages-v11.xml")).gpus;
    expect(gpu?.faults).toEqual(["a memory page waits to be retired by a reset"]);
    expect(gpu?.slowdowns).toEqual(["hw_slowdown"]);
  });

  test("v12: eight A100, on the first of which clients share by MPS under a lowered power limit", () => {
    const { gpus } = parseNvidiaSmi(fixture("a100x8-mps-v12.xml"));
    expect(gpus).toHaveLength(8);
    expect(gpus[0]).toMatchObject({ memoryUsedMiB: 18_056, powerLimitW: 250, slowdowns: [], faults: [] });
    expect(gpus[7]).toMatchObject({ memoryUsedMiB: 4, powerLimitW: 400 });
  });

  test("v12: a virtual GPU without a licence takes no work", () => {
    const [gpu] = parseNvidiaSmi(fixture("t4-vgpu-unlicensed-v12.xml")).gpus;
    expect(gpu).toMatchObject({
      product: "GRID T4-16Q",
      faults: ["the virtual GPU has no licence and is slowed down"],
    });
  });

  test("v13: an H100 with memory errors and thermal slowdown beside a healthy one", () => {
    const [sick, well] = parseNvidiaSmi(fixture("h100-unhealthy-v13.xml")).gpus;
    expect(sick?.faults).toEqual([
      "uncorrected memory errors",
      "a memory row waits to be remapped by a reset",
      "recovery action: Drain and Reset",
    ]);
    expect(sick?.slowdowns).toEqual(["hw_thermal_slowdown"]);
    expect(well).toMatchObject({ faults: [], slowdowns: [] });
  });

  test("v13: counters that underflowed and a GPU with N/A everywhere are quarantined, the sound one between them stays", () => {
    const reading = parseNvidiaSmi(fixture("l4-absurd-v13.xml"));
    expect(reading.gpus.map(({ memoryUsedMiB }) => memoryUsedMiB)).toEqual([4]);
    expect(reading.quarantined.map(({ index, reason }) => [index, reason])).toEqual([
      [0, 'used memory is "18446744073709551615 MiB"'],
      [2, 'total memory is "N/A"'],
    ]);
  });

  test("v13: a GPU on which almost nothing is available, with the power readings where v13 has them", () => {
    const reading = parseNvidiaSmi(fixture("rtx-5090-v13.xml"));
    expect(reading.gpus).toEqual([
      expect.objectContaining({
        product: "NVIDIA GeForce RTX 5090",
        architecture: "Blackwell",
        memoryMiB: 32_607,
        memoryUsedMiB: undefined,
        utilization: undefined,
        temperatureC: undefined,
        powerW: 17.05,
        powerLimitW: 575,
        faults: [],
      }),
    ]);
  });
});

describe("values that cannot be true are quarantined with a reason", () => {
  const cases: readonly { name: string; gpu: Parameters<typeof aGpuElement>[0]; want: string }[] = [
    { name: "a total that underflowed", gpu: { total: "18446744073709551615 MiB" }, want: "total memory is" },
    { name: "a total of nothing", gpu: { total: "0 MiB" }, want: "total memory is" },
    { name: "more than any GPU has", gpu: { total: "99999999 MiB" }, want: "total memory is" },
    { name: "a negative total", gpu: { total: "-1 MiB" }, want: "total memory is" },
    { name: "no total", gpu: { total: "N/A" }, want: "total memory is" },
    { name: "a total in another unit", gpu: { total: "24576 W" }, want: "total memory is" },
    { name: "a total without a unit", gpu: { total: "24576" }, want: "total memory is" },
    { name: "a unit that is a property of objects", gpu: { total: "1 constructor" }, want: "total memory is" },
    { name: "a use that underflowed", gpu: { used: "18446744073709551615 MiB" }, want: "used memory is" },
    { name: "more in use than there is", gpu: { used: "24577 MiB" }, want: "24577 MiB are in use of 24576 MiB" },
    { name: "no UUID", gpu: { uuid: "N/A" }, want: "its UUID is" },
    { name: "a UUID of no GPU", gpu: { uuid: "MIG-1" }, want: "its UUID is" },
    { name: "no product", gpu: { product: "" }, want: "product name is missing" },
    { name: "a product of control characters", gpu: { product: "A\u0007B" }, want: "product name is missing" },
    {
      name: "instances larger than their GPU",
      gpu: { mig: aMigMode([{ index: 0, gpuInstance: 1, total: "24577 MiB" }]) },
      want: "on a GPU of 24576 MiB",
    },
    {
      name: "an instance without memory",
      gpu: { mig: aMigMode([{ index: 0, gpuInstance: 1, total: "N/A" }]) },
      want: "no index, instance or memory",
    },
    {
      name: "two instances of one index",
      gpu: {
        mig: aMigMode([
          { index: 0, gpuInstance: 1, total: "5952 MiB" },
          { index: 0, gpuInstance: 2, total: "5952 MiB" },
        ]),
      },
      want: "one index",
    },
  ];
  test.each(cases)("$name", ({ gpu, want }) => {
    const xml = aDocument([aGpuElement(gpu), aGpuElement({ uuid: "GPU-good-good-good" })]);
    expect(quarantineReasons(xml)).toEqual([expect.stringContaining(want)]);
    expect(parseNvidiaSmi(xml).gpus.map(({ uuid }) => uuid)).toEqual(["GPU-good-good-good"]);
  });

  test("of GPUs with one UUID none is believed", () => {
    const xml = aDocument([aGpuElement(), aGpuElement(), aGpuElement({ uuid: "GPU-good-good-good" })]);
    expect(quarantineReasons(xml)).toEqual(["its UUID is reported 2 times", "its UUID is reported 2 times"]);
    expect(parseNvidiaSmi(xml).gpus).toHaveLength(1);
  });
});

describe("numbers", () => {
  test.each([
    ["24576 MiB", 24_576],
    ["24576 MB", 24_576],
    ["24 GiB", 24_576],
    ["25165824 KiB", 24_576],
    ["24576.9 MiB", 24_576],
  ])("%s of memory is %i MiB", (total, want) => {
    expect(first(aDocument([aGpuElement({ total })])).memoryMiB).toBe(want);
  });

  test("memory in use that is not available is left out", () => {
    expect(first(aDocument([aGpuElement({ used: "N/A" })])).memoryUsedMiB).toBeUndefined();
  });

  test("a utilization above 100 % is dropped and not held against the GPU", () => {
    const extra = "<utilization><gpu_util>140 %</gpu_util></utilization>";
    expect(first(aDocument([aGpuElement({ extra })]))).toMatchObject({ utilization: undefined, faults: [] });
  });
});

describe("MIG", () => {
  test("compute instances share the memory of their GPU instance", () => {
    const mig = aMigMode([
      { index: 0, gpuInstance: 2, total: "11968 MiB", multiprocessors: 14 },
      { index: 1, gpuInstance: 2, total: "11968 MiB", multiprocessors: 14 },
    ]);
    const { migInstances } = first(aDocument([aGpuElement({ mig })]));
    expect(migInstances.map(({ memoryMiB, profile }) => [memoryMiB, profile])).toEqual([
      [5_984, undefined],
      [5_984, undefined],
    ]);
  });

  test("an instance of no known size has no profile name", () => {
    const mig = aMigMode([{ index: 0, gpuInstance: 1, total: "5952 MiB", multiprocessors: 15 }]);
    expect(first(aDocument([aGpuElement({ mig })])).migInstances[0]?.profile).toBeUndefined();
  });

  test("MIG that is on without an instance leaves none", () => {
    const mig = "<mig_mode><current_mig>Enabled</current_mig></mig_mode><mig_devices>None</mig_devices>";
    expect(first(aDocument([aGpuElement({ mig })]))).toMatchObject({ migEnabled: true, migInstances: [] });
  });
});

describe("faults", () => {
  const volatile = (counts: string) => `<ecc_errors><volatile>${counts}</volatile></ecc_errors>`;
  const cases: readonly { name: string; extra: string; want: string[] }[] = [
    {
      name: "none where nothing is available",
      extra: volatile("<dram_uncorrectable>N/A</dram_uncorrectable>"),
      want: [],
    },
    { name: "none for corrected errors", extra: volatile("<dram_correctable>9</dram_correctable>"), want: [] },
    {
      name: "none for errors of earlier boots",
      extra: "<ecc_errors><aggregate><dram_uncorrectable>3</dram_uncorrectable></aggregate></ecc_errors>",
      want: [],
    },
    {
      name: "uncorrected errors in DRAM",
      extra: volatile("<dram_uncorrectable>1</dram_uncorrectable>"),
      want: ["uncorrected memory errors"],
    },
    {
      name: "uncorrected errors in SRAM as v13 splits them",
      extra: volatile("<sram_uncorrectable_secded>1</sram_uncorrectable_secded>"),
      want: ["uncorrected memory errors"],
    },
    {
      name: "double-bit errors as GPUs before Turing count them",
      extra: volatile("<double_bit><total>2</total></double_bit>"),
      want: ["uncorrected memory errors"],
    },
    {
      name: "a count too long to be true",
      extra: volatile("<dram_uncorrectable>18446744073709551615</dram_uncorrectable>"),
      want: ["uncorrected memory errors"],
    },
    {
      name: "a row that could not be remapped",
      extra: "<remapped_rows><remapped_row_failure>Yes</remapped_row_failure></remapped_rows>",
      want: ["a memory row could not be remapped"],
    },
    {
      name: "a row that waits to be remapped",
      extra: "<remapped_rows><remapped_row_pending>Yes</remapped_row_pending></remapped_rows>",
      want: ["a memory row waits to be remapped by a reset"],
    },
    {
      name: "a GPU whose host gives it to virtual machines",
      extra: "<gpu_virtualization_mode><virtualization_mode>Host VGPU</virtualization_mode></gpu_virtualization_mode>",
      want: ["the GPU is given to virtual machines (Host VGPU)"],
    },
    {
      name: "none for a GPU that is passed through as a whole",
      extra:
        "<gpu_virtualization_mode><virtualization_mode>Pass-Through</virtualization_mode></gpu_virtualization_mode>",
      want: [],
    },
    {
      name: "a page that waits for retirement",
      extra: "<retired_pages><pending_retirement>Yes</pending_retirement></retired_pages>",
      want: ["a memory page waits to be retired by a reset"],
    },
    {
      name: "a reset that is required",
      extra: "<gpu_reset_status><reset_required>Yes</reset_required></gpu_reset_status>",
      want: ["a reset is required"],
    },
    {
      name: "a recovery action",
      extra: "<gpu_recovery_action>Reboot</gpu_recovery_action>",
      want: ["recovery action: Reboot"],
    },
    { name: "no recovery action", extra: "<gpu_recovery_action>None</gpu_recovery_action>", want: [] },
    {
      name: "a GPU that fell off the bus",
      extra: "<temperature><gpu_temp>GPU is lost</gpu_temp></temperature>",
      want: ["the driver has lost the GPU"],
    },
    {
      name: "a fan that answers with an error",
      extra: "<fan_speed>ERR!</fan_speed>",
      want: ["the driver has lost the GPU"],
    },
  ];
  test.each(cases)("$name", ({ extra, want }) => {
    expect(first(aDocument([aGpuElement({ extra })])).faults).toEqual(want);
  });
});

describe("documents that are none", () => {
  const cases: readonly { name: string; xml: string; want: string; saying: string }[] = [
    { name: "nothing", xml: "", want: "Garbled", saying: "it begins with nothing" },
    { name: "words", xml: "No devices were found", want: "Garbled", saying: "no valid XML" },
    {
      name: "half a document",
      xml: aDocument().slice(0, aDocument().length / 2),
      want: "Garbled",
      saying: "no valid XML",
    },
    { name: "another document", xml: "<html></html>", want: "Garbled", saying: "without <nvidia_smi_log>" },
    { name: "a document without GPUs", xml: aDocument([]), want: "NoDevices", saying: "no attached GPU" },
    {
      name: "an absurd number of GPUs",
      xml: aDocument([aGpuElement()], "18446744073709551615"),
      want: "Garbled",
      saying: "reports 18446744073709551615 attached GPUs and describes 1",
    },
    {
      name: "fewer GPUs than it describes",
      xml: aDocument([aGpuElement(), aGpuElement()], 1),
      want: "Garbled",
      saying: "reports 1 attached GPUs and describes 2",
    },
    { name: "none of the GPUs that it counts", xml: aDocument([], 2), want: "Garbled", saying: "describes 0" },
    {
      name: "more GPUs than a machine holds",
      xml: aDocument(Array.from({ length: 65 }, () => aGpuElement())),
      want: "Garbled",
      saying: "at most 64",
    },
    {
      name: "elements nested without end",
      xml: `<nvidia_smi_log>${"<a>".repeat(5_000)}${"</a>".repeat(5_000)}</nvidia_smi_log>`,
      want: "Garbled",
      saying: "",
    },
  ];
  test.each(cases)("$name", ({ xml, want, saying }) => {
    const failure = failureOf(xml);
    expect(failure.kind).toBe(want);
    expect(failure.message).toContain(saying);
  });

  test("fewer descriptions than GPUs are kept as they are, with the number that is stated", () => {
    expect(parseNvidiaSmi(aDocument([aGpuElement()], 4))).toMatchObject({ attachedGpus: 4, gpus: [{}] });
  });
});

test("a document that is played back says so", () => {
  const xml = aDocument().replace("<attached_gpus>", "<inferium_simulated>true</inferium_simulated><attached_gpus>");
  expect(parseNvidiaSmi(xml).simulated).toBe(true);
  expect(parseNvidiaSmi(aDocument()).simulated).toBe(false);
});

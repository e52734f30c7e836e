import { describe, expect, test } from "vitest";
import { decideCapability } from "../../../../src/agent/decide-capability.ts";
import { readNodeFacts } from "../../../../src/agent/node-facts.ts";
import { parseNvidiaSmi, simulatedMarker } from "../../../../src/agent/nvidia-smi/parse.ts";
import { nodeProfiles } from "../../../../src/embedded/nodes/node-profiles.ts";
import * as document from "../../../../src/embedded/nodes/smi/document.ts";
import { defaultTierThresholds } from "../../../../src/protocol/tier.ts";

const withGpus = nodeProfiles.flatMap(({ name, nvidiaSmiDocument }) =>
  nvidiaSmiDocument === undefined ? [] : [{ name, xml: nvidiaSmiDocument }],
);

describe("the simulated nodes", () => {
  const wanted = {
    "gpu-high-a100": ["High", 4],
    "gpu-mid-l4": ["Mid", 2],
    "gpu-mid-rtx": ["Mid", 1],
    "gpu-low-p4": ["Low", 1],
  } as const;
  test.each(Object.entries(wanted))("the agent inspects %s and finds %j", (name, [tier, count]) => {
    const profile = nodeProfiles.find((candidate) => candidate.name === name)!;
    const reading = parseNvidiaSmi(profile.nvidiaSmiDocument!);
    expect(reading).toMatchObject({ simulated: true, quarantined: [] });
    expect(reading.gpus).toHaveLength(count);
    expect(reading.gpus.flatMap(({ faults }) => faults)).toEqual([]);
    const facts = readNodeFacts({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels: { ...profile.labels } },
      status: { capacity: { ...profile.capacity } },
    });
    const policy = { thresholds: defaultTierThresholds, minimumLevel: "Inspected" } as const;
    expect(decideCapability({ kind: "Read", reading }, facts, policy)).toEqual({
      level: "Inspected",
      tier,
      objections: [],
    });
  });

  test("three driver generations are among them", () => {
    const generations = withGpus.map(({ xml }) => /nvsmi_device_v(\d+)\.dtd/.exec(xml)?.[1]);
    expect([...new Set(generations)].sort()).toEqual(["11", "12", "13"]);
  });

  test("no GPU of one node is also in another", () => {
    const uuids = withGpus.flatMap(({ xml }) => parseNvidiaSmi(xml).gpus.map(({ uuid }) => uuid));
    expect(new Set(uuids).size).toBe(uuids.length);
  });

  test("every node says that it is simulated, in its label, its annotation and its document", () => {
    for (const profile of nodeProfiles) {
      expect(profile.labels["inferium.io/simulated"]).toBe("true");
      expect(profile.annotations["inferium.io/simulation"]).toContain("No such machine exists");
    }
    for (const { xml } of withGpus) expect(xml).toContain("<!-- Simulated");
  });

  test("the marker that documents carry is the one that the agent looks for", () => {
    expect(document.simulatedMarker).toBe(simulatedMarker);
  });

  test("a GPU is the same in every run", () => {
    const [first] = parseNvidiaSmi(withGpus[0]!.xml).gpus;
    expect(first?.uuid).toBe("GPU-fe088969-c7c9-83f8-d2d0-6edc562b0c6c");
  });

  test("names, zones and hostnames are usable by a scheduler", () => {
    const names = nodeProfiles.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, labels } of nodeProfiles) {
      expect(labels["kubernetes.io/hostname"]).toBe(name);
      for (const value of Object.values(labels))
        expect(value).toMatch(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);
    }
  });
});

import { describe, expect, test } from "vitest";
import { sha256 } from "../../../src/base/digest.ts";
import { createModelProbe } from "../../../src/inference/model-check/model-probe.ts";
import { emptyFindings } from "../../../src/protocol/model/scan-model.ts";

const artifact = { path: "/model", digest: sha256("model") };
const { signal } = new AbortController();

function aProbe(reason?: string) {
  let asked = 0;
  const problems = reason === undefined ? [] : [{ reason, message: "m" }];
  const check = async () => {
    asked += 1;
    return { findings: { ...emptyFindings(1), problems }, runtime: undefined, samples: [] };
  };
  return { probe: createModelProbe(check), asked: () => asked };
}

describe("a model that is to be loaded for the first time", () => {
  test("is tried once for each digest", async () => {
    const { probe, asked } = aProbe();
    await probe(artifact, signal);
    await probe(artifact, signal);
    await probe({ ...artifact, digest: sha256("another") }, signal);
    expect(asked()).toBe(2);
  });

  test.each(["Crashed", "MemoryLimit", "TimeLimit"])(
    "is not loaded where trying it ends in %s, nor later",
    async (reason) => {
      const { probe, asked } = aProbe(reason);
      await expect(probe(artifact, signal)).rejects.toMatchObject({ code: "UnsafeModel" });
      await expect(probe(artifact, signal)).rejects.toThrow(reason);
      expect(asked()).toBe(2);
    },
  );

  test("that onnxruntime refuses is left to the load, which says why", async () => {
    await expect(aProbe("LoadFailed").probe(artifact, signal)).resolves.toBeUndefined();
  });
});

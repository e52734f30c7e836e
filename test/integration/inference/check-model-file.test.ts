/** Models that would take down whoever loads them, in a process of their own. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sha256 } from "../../../src/base/digest.ts";
import { createExecutor } from "../../../src/inference/execute.ts";
import { checkModelFile, type ModelCheckOptions } from "../../../src/inference/model-check/check-model-file.ts";
import { constant, encodeOnnx, node, OnnxType, valueInfo } from "../../../src/inference/training/onnx-parts.ts";
import { aProduct, hostileModels, sevenBits } from "../../support/hostile-models.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-check-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function check(bytes: Uint8Array, options: ModelCheckOptions = {}) {
  const digest = sha256(bytes);
  const path = join(dir, digest.slice(7, 19));
  await writeFile(path, bytes);
  return checkModelFile({ path, digest }, options);
}

const versions = { opset: 13n, irVersion: 7n };

/** Small in the file; whoever runs it needs so many bytes. */
function aBomb(bytes: number): Uint8Array {
  const shape = constant("s", [1], BigInt64Array.of(BigInt(bytes / 4)));
  const nodes = [node("ConstantOfShape", ["s"], "t"), node("Add", ["t", "x"], "y")];
  const values = { input: [valueInfo("x", OnnxType.FLOAT, [1])], output: [valueInfo("y", OnnxType.FLOAT, ["N"])] };
  return encodeOnnx({ name: "bomb", node: nodes, initializer: [shape], ...values }, versions);
}

describe("a model file", () => {
  test("that is honest is scanned, loaded and run on seeded inputs, the same for the same seed", async () => {
    const bytes = aProduct(sevenBits);
    const [a, b, c] = await Promise.all([
      check(bytes, { seed: "1" }),
      check(bytes, { seed: "1" }),
      check(bytes, { seed: "2" }),
    ]);
    expect(a.findings.problems).toEqual([]);
    expect(a.runtime).toMatch(/^onnxruntime\//);
    expect(a.samples).toHaveLength(3);
    expect(a.samples[0]?.y).toMatchObject({ dtype: "int32", shape: [1, 2] });
    expect(b.samples).toEqual(a.samples);
    expect(c.samples).not.toEqual(a.samples);
  });

  test("that needs more memory than it is allowed is found to, while it runs", async () => {
    const { findings, runtime } = await check(aBomb(2 ** 30), {
      limits: { memoryBytes: 200 * 2 ** 20, timeMs: 60_000 },
    });
    expect(findings.problems).toMatchObject([{ reason: "MemoryLimit" }]);
    expect(runtime).toBeUndefined();
  });

  test("that takes too long is ended", async () => {
    const { findings } = await check(aProduct(sevenBits), { limits: { memoryBytes: 2 ** 30, timeMs: 1 } });
    expect(findings.problems).toMatchObject([{ reason: "TimeLimit" }]);
  });

  test("that ends the process is found to have done so", async () => {
    // A heap that V8 cannot start with: its abort is a crash like any other.
    const limits = { memoryBytes: 2 ** 20, timeMs: 60_000 };
    const { findings } = await check(aProduct(sevenBits), { limits });
    expect(["Crashed", "MemoryLimit"]).toContain(findings.problems[0]?.reason);
  });

  test("that onnxruntime refuses is not loaded, and its words are kept", async () => {
    const { findings } = await check(aProduct(sevenBits, [node("MatMulInteger", ["x", "nothing"], "y")]));
    expect(findings.problems).toMatchObject([{ reason: "LoadFailed", message: expect.stringContaining("nothing") }]);
  });

  test("that is hostile never comes as far as being loaded", async () => {
    const external = hostileModels().find(({ name }) => name === "data outside the file");
    const { findings, runtime } = await check(external?.bytes ?? new Uint8Array());
    expect(findings.problems).toMatchObject([{ reason: "ExternalData" }]);
    expect(runtime).toBeUndefined();
  });

  test("that was exchanged since it was fetched is no finding about the model", async () => {
    const path = join(dir, "exchanged");
    await writeFile(path, "another file");
    const checked = checkModelFile({ path, digest: sha256("the file") });
    await expect(checked).rejects.toMatchObject({ code: "CheckFailed", disposition: "retry" });
  });

  test("whose check is no longer wanted is given up", async () => {
    const stopping = new AbortController();
    const checked = check(aBomb(2 ** 20), { signal: stopping.signal });
    stopping.abort(new Error("no longer wanted"));
    await expect(checked).rejects.toThrow("no longer wanted");
  });
});

describe("a worker that tries models first", () => {
  test("does not load one that would take it down, and goes on with others", async () => {
    const executor = createExecutor({ cacheDir: join(dir, "cache"), fileRoots: [dir], probeModels: true });
    const put = async (bytes: Uint8Array) => {
      const path = join(dir, `${sha256(bytes).slice(7, 19)}.onnx`);
      await writeFile(path, bytes);
      return { uri: `file://${path}`, digest: sha256(bytes) };
    };
    try {
      const bomb = await put(aBomb(4 * 2 ** 30));
      const x = { dtype: "float32", shape: [1], data: [1] };
      const input = { inline: { x } };
      await expect(executor.execute({ model: bomb, input })).rejects.toMatchObject({ code: "UnsafeModel" });
      const honest = await put(aProduct(sevenBits));
      const bytes = { inline: { x: { dtype: "uint8", shape: [1, 4], data: [1, 0, 0, 0] } } };
      const { outputs } = await executor.execute({ model: honest, input: bytes });
      expect(outputs.get("y")?.shape).toEqual([1, 2]);
    } finally {
      await executor.close();
    }
  });
});

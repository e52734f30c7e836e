import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { sha256 } from "../../../src/base/digest.ts";
import { readInput, readModel } from "../../../src/cli/task-source.ts";
import { tensorsFromJson } from "../../../src/protocol/tensors/json.ts";
import { writeSafetensors } from "../../../src/protocol/tensors/safetensors.ts";

const folder = mkdtempSync(join(tmpdir(), "task-source-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const digest = `sha256:${"b".repeat(64)}`;
const inline = { x: { dtype: "float32", shape: [2], data: [0.5, 1] } };

describe("readModel", () => {
  test("a URI goes with the digest that is given", async () => {
    const model = await readModel("https://m.example/m.onnx", digest);
    expect(model).toEqual({ uri: "https://m.example/m.onnx", digest, format: "onnx" });
  });

  test("a local file goes with its own digest", async () => {
    const path = file("m.onnx", "model bytes");
    const want = { uri: pathToFileURL(path).href, digest: sha256("model bytes"), format: "onnx" };
    expect(await readModel(path, undefined)).toEqual(want);
    expect(await readModel(path, want.digest)).toEqual(want);
  });

  test.each([
    ["a URI without a digest", "https://m.example/m.onnx", undefined, "give --model-digest"],
    ["a digest that is none", "https://m.example/m.onnx", "md5:1", "sha256:"],
    ["a file that is not there", "/nowhere/m.onnx", undefined, "Cannot read /nowhere/m.onnx"],
  ])("refuses %s", async (_, model, given, problem) => {
    await expect(readModel(model, given)).rejects.toThrow(problem);
  });

  test("refuses a file of another digest", async () => {
    await expect(readModel(file("n.onnx", "x"), digest)).rejects.toThrow("--model-digest says");
  });
});

describe("readInput", () => {
  test("takes JSON in place", async () => {
    expect(await readInput(JSON.stringify(inline), undefined)).toEqual({ inline });
  });

  test("takes a file of JSON", async () => {
    expect(await readInput(file("x.json", JSON.stringify(inline)), undefined)).toEqual({ inline });
  });

  test("takes a safetensors file along", async () => {
    const path = file("x.safetensors", writeSafetensors(tensorsFromJson(inline)));
    expect(await readInput(path, undefined)).toEqual({ inline });
  });

  test("writes long tensors as base64", async () => {
    const long = { x: { dtype: "uint8", shape: [100], data: Array.from({ length: 100 }, () => 7) } };
    const { inline: sent } = await readInput(JSON.stringify(long), undefined);
    expect(sent).toEqual({ x: { dtype: "uint8", shape: [100], base64: Buffer.alloc(100, 7).toString("base64") } });
  });

  test("takes a URI with its digest", async () => {
    const uri = "https://m.example/x.safetensors";
    expect(await readInput(uri, digest)).toEqual({ uri, digest });
    await expect(readInput(uri, undefined)).rejects.toThrow("give --input-digest");
  });

  test.each([
    ["what is no JSON", "{x", "holds no tensors"],
    ["a shape that does not fit", '{"x":{"dtype":"float32","shape":[3],"data":[1]}}', "has 1 values"],
    ["a list", "/nowhere.json", "Cannot read"],
  ])("refuses %s", async (_, input, problem) => {
    await expect(readInput(input, undefined)).rejects.toThrow(problem);
  });

  test("refuses what is too large to be sent along, and says what to do", async () => {
    const large = { x: { dtype: "uint8", shape: [65_537], base64: Buffer.alloc(65_537).toString("base64") } };
    const failure = readInput(JSON.stringify(large), undefined);
    await expect(failure).rejects.toThrow(
      "--input has 65537 bytes of tensors; at most 65536 are sent along with a task. Publish it",
    );
  });
});

/**
 * Our set-up and prover over snarkjs' arithmetic: snarkjs takes the proofs of their keys, a wrong witness gives none that it takes, and a
 * damaged key is named as one.
 */
import { readFileSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { provingFolder } from "../../../src/embedded/demo/proving-setup.ts";
import { compileInference } from "../../../src/zk/circuit/inference-circuit.ts";
import { fieldPrime } from "../../../src/zk/field.ts";
import { readIntegerNetwork } from "../../../src/zk/network/from-onnx.ts";
import type { CircuitRecord } from "../../../src/zk/proving/circuit-record.ts";
import type { VerifyingKey } from "../../../src/zk/proving/groth16.ts";
import { decodeProvingKey, loadProvingKey } from "../../../src/zk/proving/proving-key.ts";
import { createSnarkjsBackend } from "../../../src/zk/proving/snarkjs-backend.ts";
import { classifyBySize } from "../../../src/zk/proving/sum-points.ts";
import { encodeWitness } from "../../../src/zk/r1cs/witness-file.ts";
import { drawBytes } from "../../support/integer-model.ts";
import { hasPowersOfTau, powersOfTauPath } from "../../support/powers-of-tau.ts";
import { provenCase } from "../../support/proven-case.ts";

const recordName = "circuit-sha256-41a4b5f3264164e74b46d834cabfb5b0403c6b196e8c449811146591667ba316-1.json";
const record: CircuitRecord = JSON.parse(readFileSync(new URL(recordName, provingFolder), "utf8"));
const zkeyUrl = new URL(record.provingKeyDigest.replace(":", "-"), provingFolder);

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-prove-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe.skipIf(!hasPowersOfTau)("a proof", () => {
  const backend = createSnarkjsBackend({ timeoutMs: 120_000 });
  afterAll(() => backend.close());
  const circuit = compileInference(readIntegerNetwork(provenCase().onnx), 1);
  const witness = circuit.computeWitness({ bytes: drawBytes(6, 3), salt: 9n, task: 7n });
  let key: VerifyingKey;
  beforeAll(async () => {
    const [r1csPath, zkeyPath] = [join(dir, "r1cs"), join(dir, "key")];
    await writeFile(r1csPath, circuit.encodeR1cs());
    key = await backend.setUp({ r1csPath, powersOfTauPath, zkeyPath, contributor: "test" });
  }, 120_000);
  const prove = async (values: readonly bigint[]) => {
    const witnessPath = join(dir, "witness");
    await writeFile(witnessPath, encodeWitness(values));
    return backend.prove({ zkeyPath: join(dir, "key"), witnessPath });
  };

  test("of a witness is one that snarkjs takes, for its signals and no others; two are not alike", async () => {
    const [first, second] = [await prove(witness), await prove(witness)];
    expect(first.signals).toEqual(witness.slice(1, 4));
    expect(first.proof).not.toEqual(second.proof);
    for (const { proof, signals } of [first, second]) {
      expect(await backend.verify({ key, signals, proof })).toBe(true);
      expect(await backend.verify({ key, signals: signals.with(1, (signals[1] ?? 0n) + 1n), proof })).toBe(false);
    }
  }, 120_000);

  test("of a witness that breaks a constraint is none", async () => {
    const result = ((witness[2] ?? 0n) + 1n) % fieldPrime;
    const { proof, signals } = await prove(witness.with(2, result));
    expect(signals[1]).toBe(result);
    expect(await backend.verify({ key, signals, proof })).toBe(false);
  }, 120_000);

  test("of another circuit's witness is refused by name", async () => {
    await expect(prove(witness.slice(1))).rejects.toMatchObject({
      code: "ProverFailed",
      message: expect.stringContaining("It is of another circuit."),
    });
  }, 120_000);
});

describe("a proving key", () => {
  test("is refused where it is cut off or names places that there are not", async () => {
    const bytes = await readFile(zkeyUrl);
    expect(decodeProvingKey(bytes).wireCount).toBeGreaterThan(9_000);
    const refused = expect.objectContaining({ code: "InvalidKeyFile" });
    expect(() => decodeProvingKey(bytes.subarray(0, bytes.length - 100))).toThrow(refused);
    const damaged = Buffer.from(bytes);
    // After their number and its side: the first coefficient's constraint.
    const at = sectionStart(damaged, 4) + 8;
    damaged.writeUInt32LE(2 ** 31, at);
    expect(() => decodeProvingKey(damaged)).toThrow(refused);
  });

  test("is kept between proofs, and read again where the file is another one", async () => {
    const path = join(dir, "kept");
    await copyFile(zkeyUrl, path);
    const first = await loadProvingKey(path);
    // Compared here: vitest would walk through megabytes of both.
    const isKept = async () => (await loadProvingKey(path)) === first;
    expect(await isKept()).toBe(true);
    await copyFile(zkeyUrl, `${path}.new`);
    await rm(path);
    await copyFile(`${path}.new`, path);
    expect(await isKept()).toBe(false);
    await writeFile(path, "nothing");
    await expect(loadProvingKey(path)).rejects.toMatchObject({ code: "InvalidKeyFile" });
    await expect(loadProvingKey(join(dir, "none"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

test("wires are put together by the size of their values, and none is lost", () => {
  const values = [0n, 1n, 255n, 256n, 2n ** 32n - 1n, 2n ** 32n, fieldPrime - 1n, fieldPrime - 2n ** 32n + 1n];
  const classes = classifyBySize([...values, fieldPrime - 2n ** 32n], 1);
  expect(classes.map(({ wires }) => wires)).toEqual([
    [1, 2],
    [3, 4],
    [6, 7],
    [5, 8],
  ]);
  const [small, medium, negative, large] = classes.map(({ scalars }) => [...scalars]);
  expect(small).toEqual([1, 255]);
  expect(medium).toEqual([0, 1, 0, 0, 255, 255, 255, 255]);
  expect(negative).toEqual([1, 0, 0, 0, 255, 255, 255, 255]);
  expect(large?.slice(0, 8)).toEqual([0, 0, 0, 0, 1, 0, 0, 0]);
});

function sectionStart(file: Buffer, type: number): number {
  let offset = 12;
  while (file.readUInt32LE(offset) !== type) offset += 12 + Number(file.readBigUInt64LE(offset + 4));
  return offset + 12;
}

/**
 * Keys made by src/zk/setup are those that snarkjs makes of the same circuit, first phase and randomness, byte for byte; and snarkjs
 * verifies them. Of larger circuits: test/circuits/first-keys.test.ts.
 */
import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { zKey } from "snarkjs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ConstraintSystem } from "../../../src/zk/r1cs/constraint-system.ts";
import { encodeR1cs } from "../../../src/zk/r1cs/r1cs-file.ts";
import { openCurveCode } from "../../../src/zk/setup/curve-code.ts";
import { makeFirstKey } from "../../../src/zk/setup/first-key.ts";
import { readKeySections, writeKeySections } from "../../../src/zk/setup/key-sections.ts";
import { addKeyStep } from "../../../src/zk/setup/key-step.ts";
import { applyBeacon, exportKey, setUp, startKey } from "../../../src/zk/setup/set-up.ts";
import { drawRandomness } from "../../../src/zk/setup/step-randomness.ts";
import { hasPowersOfTau, powersOfTauPath } from "../../support/powers-of-tau.ts";
import { drawR1cs } from "../../support/random-r1cs.ts";

const layout = { publicOutputs: 1, publicInputs: 1, privateInputs: 2 };
const circuits: readonly (readonly [name: string, make: () => Uint8Array])[] = [
  ["one constraint", () => drawR1cs({ seed: 1, constraints: 1, wires: 6, layout })],
  [
    "no constraint, and the constant alone in public",
    () =>
      drawR1cs({ seed: 2, constraints: 0, wires: 2, layout: { publicOutputs: 0, publicInputs: 0, privateInputs: 1 } }),
  ],
  [
    "thirteen constraints, to the last place of their domain",
    () => drawR1cs({ seed: 3, constraints: 13, wires: 20, layout }),
  ],
  [
    "a hundred constraints, many of them alike, with wires that stand nowhere",
    () => drawR1cs({ seed: 5, constraints: 100, wires: 60, layout }),
  ],
];

const snarkjsCli = fileURLToPath(new URL("../../../node_modules/snarkjs/cli.js", import.meta.url));

let dir: string;
const at = (name: string) => join(dir, name);
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-set-up-"));
});
afterAll(async () => {
  // snarkjs leaves its threads running.
  await (globalThis as { curve_bn128?: { terminate(): Promise<void> } | null }).curve_bn128?.terminate();
  await rm(dir, { recursive: true, force: true });
});

/** As a user would. @returns what it prints */
function verify(r1csPath: string, zkeyPath: string): string {
  const args = [snarkjsCli, "zkey", "verify", r1csPath, powersOfTauPath, zkeyPath];
  return execFileSync(process.execPath, args, { encoding: "utf8", stdio: "pipe", timeout: 120_000 });
}

async function isSameFile(left: string, right: string): Promise<boolean> {
  return (await readFile(left)).equals(await readFile(right));
}

describe.skipIf(!hasPowersOfTau)("a key", () => {
  const r1csPath = () => at("circuit.r1cs");
  const files = (zkeyPath: string) => ({ r1csPath: r1csPath(), powersOfTauPath, zkeyPath });

  test.each(circuits)(
    "of %s is the one that snarkjs makes",
    async (_, make) => {
      await writeFile(r1csPath(), make());
      await zKey.newZKey(r1csPath(), powersOfTauPath, at("theirs"));
      await startKey(files(at("ours")));
      expect(await isSameFile(at("ours"), at("theirs"))).toBe(true);
    },
    120_000,
  );

  describe("with steps", () => {
    beforeAll(async () => {
      await writeFile(r1csPath(), drawR1cs({ seed: 6, constraints: 40, wires: 30, layout }));
      await startKey(files(at("first")));
    }, 120_000);

    test("is the one that snarkjs makes, contribution after contribution and with a beacon", async () => {
      const drawn = Buffer.alloc(64, 7);
      const random = vi
        .spyOn(crypto, "randomFillSync")
        .mockImplementation(((target: Uint8Array) => target.fill(7)) as never);
      const hashes = [
        await zKey.contribute(at("first"), at("theirs-1"), "one", "dice"),
        await zKey.contribute(at("theirs-1"), at("theirs-2"), "", "more dice"),
      ].map((hash) => Buffer.from(hash).toString("hex"));
      random.mockRestore();
      const value = "0123456789abcdef".repeat(4);
      const beaconHash = await zKey.beacon(at("theirs-2"), at("theirs-3"), "beacon", value, 10);
      const code = await openCurveCode();
      const step = async (from: string, to: string, name: string, entropy: string) => {
        const { sections, hash } = await addKeyStep(
          await readKeySections(at(from)),
          { name, randomness: drawRandomness(entropy, drawn) },
          code,
        );
        await writeKeySections(at(to), sections);
        return hash;
      };
      expect(await step("first", "ours-1", "one", "dice")).toBe(hashes[0]);
      expect(await step("ours-1", "ours-2", "", "more dice")).toBe(hashes[1]);
      const beacon = { fromPath: at("ours-2"), zkeyPath: at("ours-3"), name: "beacon", value, iterationsExponent: 10 };
      expect(await applyBeacon(beacon)).toBe(Buffer.from(beaconHash as Uint8Array).toString("hex"));
      for (const number of [1, 2, 3])
        expect(await isSameFile(at(`ours-${number}`), at(`theirs-${number}`)), `step ${number}`).toBe(true);
    }, 120_000);

    test("is verified by snarkjs, and its verifying key is the one that snarkjs reads of it", async () => {
      const made = await setUp({ ...files(at("made")), contributor: "test" });
      expect(verify(r1csPath(), at("made"))).toMatch(/ZKey Ok!/);
      await writeFile(at("other.r1cs"), drawR1cs({ seed: 7, constraints: 40, wires: 30, layout }));
      expect(() => verify(at("other.r1cs"), at("made"))).toThrow(/Command failed/);
      const theirs = await zKey.exportVerificationKey(at("made"));
      expect(made.ic).toEqual(theirs.IC.map((point) => point.slice(0, 2)));
      expect(made.alpha).toEqual(theirs.vk_alpha_1.slice(0, 2));
      expect([made.beta, made.gamma, made.delta]).toEqual(
        [theirs.vk_beta_2, theirs.vk_gamma_2, theirs.vk_delta_2].map((point) => point.slice(0, 2)),
      );
      expect(await exportKey(at("made"))).toEqual(made);
      const again = await setUp({ ...files(at("again")), contributor: "test" });
      expect(again.delta).not.toEqual(made.delta);
    }, 120_000);
  });
});

describe.skipIf(!hasPowersOfTau)("a first phase", () => {
  const make = async (path: string, constraints = 3) => {
    const system = new ConstraintSystem();
    system.addWires("wire", 5);
    for (let index = 0; index < constraints; index++) system.constrainZero([]);
    await writeFile(at("circuit.r1cs"), encodeR1cs(system, layout));
    return makeFirstKey({ r1csPath: at("circuit.r1cs"), powersOfTauPath: path }, await openCurveCode());
  };

  /** The file's first bytes, which hold no more than its head and some powers. */
  async function headOf(length: number, change: (head: Buffer) => void = () => undefined): Promise<string> {
    const head = Buffer.alloc(length);
    const file = await open(powersOfTauPath);
    await file.read(head, 0, length, 0);
    await file.close();
    change(head);
    await writeFile(at("head.ptau"), head);
    return at("head.ptau");
  }

  test("that is none, is cut off, is of another curve or is too small is refused by name", async () => {
    const refused = (message: RegExp) => ({ code: "InvalidPowersOfTau", message: expect.stringMatching(message) });
    await expect(make(at("circuit.r1cs"))).rejects.toMatchObject(refused(/are no ptau file of version 1/));
    await expect(make(await headOf(4096))).rejects.toMatchObject(refused(/end before what their sections say/));
    const sections = (head: Buffer) => head.writeUInt32LE(1, 8);
    await expect(make(await headOf(4096, sections))).rejects.toMatchObject(refused(/are not prepared/));
    const otherCurve = (head: Buffer) => {
      sections(head);
      head.writeUInt8(1, 30);
    };
    await expect(make(await headOf(4096, otherCurve))).rejects.toMatchObject(refused(/are not over BN254/));
    await expect(make(powersOfTauPath, 2 ** 15)).rejects.toMatchObject({ code: "CircuitTooLarge" });
  });
});

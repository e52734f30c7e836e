/** First keys of circuits that the project uses are those that snarkjs made of them; the large ones in the long run. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sha256 } from "../../src/base/digest.ts";
import { startKey } from "../../src/zk/setup/set-up.ts";
import { hasPowersOfTau, powersOfTauPath } from "../support/powers-of-tau.ts";
import { setUpCircuits } from "../support/set-up-circuits.ts";
import vector from "../vectors/first-keys.json" with { type: "json" };
import { isLong } from "./support/profile.ts";

const keys: Readonly<Record<string, { readonly r1csDigest: string; readonly keyDigest: string }>> = vector.keys;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-first-keys-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe.skipIf(!hasPowersOfTau)("the first key", () => {
  const circuits = setUpCircuits.filter((circuit) => isLong || !circuit.isLong);
  test.each(circuits)(
    "of $name is snarkjs'",
    async ({ name, compile }) => {
      const [r1csPath, zkeyPath] = [join(dir, "r1cs"), join(dir, "zkey")];
      const r1cs = compile();
      expect(sha256(r1cs)).toBe(keys[name]?.r1csDigest);
      await writeFile(r1csPath, r1cs);
      await startKey({ r1csPath, powersOfTauPath, zkeyPath });
      expect(sha256(await readFile(zkeyPath))).toBe(keys[name]?.keyDigest);
    },
    300_000,
  );
});

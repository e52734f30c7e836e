/**
 * Makes first-keys.json: digests of the first keys that snarkjs makes of some circuits, which is what src/zk/setup must make. Takes
 * minutes. Run by hand where circuits change, with the path of the development powers of tau (.ci/powers-of-tau).
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zKey } from "snarkjs";
import { sha256 } from "../../src/base/digest.ts";
import { setUpCircuits } from "../support/set-up-circuits.ts";

const powersOfTauPath = process.argv[2];
if (powersOfTauPath === undefined)
  throw new Error("Give the path of the powers of tau, as .ci/powers-of-tau prints it.");
const dir = await mkdtemp(join(tmpdir(), "inferium-first-keys-"));
const keys: Record<string, { r1csDigest: string; keyDigest: string }> = {};
try {
  for (const { name, compile } of setUpCircuits) {
    const [r1csPath, zkeyPath] = [join(dir, "r1cs"), join(dir, "zkey")];
    const r1cs = compile();
    await writeFile(r1csPath, r1cs);
    await zKey.newZKey(r1csPath, powersOfTauPath, zkeyPath);
    keys[name] = { r1csDigest: sha256(r1cs), keyDigest: sha256(await readFile(zkeyPath)) };
  }
  const vector = { snarkjs: "0.7.6", keys };
  await writeFile(new URL("./first-keys.json", import.meta.url), `${JSON.stringify(vector, undefined, 2)}\n`);
} finally {
  await rm(dir, { recursive: true, force: true });
}
// snarkjs leaves its threads running.
process.exit(0);

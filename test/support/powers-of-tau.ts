/** The development powers of tau that .ci/powers-of-tau fetches; tests of keys are skipped, with a word, where they are not. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const folder = process.env.INFERIUM_ZK_CACHE ?? join(homedir(), ".cache/inferium-zk");

export const powersOfTauPath = join(folder, "powersOfTau15_final.ptau");
export const hasPowersOfTau = existsSync(powersOfTauPath);

if (!hasPowersOfTau)
  console.log(`tests of keys are skipped: no powers of tau at ${powersOfTauPath} (.ci/powers-of-tau)`);

/**
 * `npm run test:contracts -- --mutate [--minutes M] [--sample N --seed S] [NAME...]`: how many mutants of the contracts the
 * tests kill. Mutants are compiled beside the originals in a temporary copy of the project, some at a time; for each the tests
 * of its contract are run with the mutant deployed in its place, and all others where those do not kill it. What was killed is
 * kept in `contracts/cache/mutants.json`, so that a run that was ended, or that `--minutes` ends, goes on where it was;
 * `--anew` forgets it. Mutants that no test can kill are listed in `equivalent-mutants.json`, each with why, and are counted
 * apart. Prints a table; exits 1 where a mutant survives or is untried.
 */
import { parseArgs } from "node:util";
import type { Mutant } from "./mutants.ts";
import { chooseMutants } from "./mutated-sources.ts";
import { MutationBook } from "./mutation-book.ts";
import { MutationProject } from "./mutation-project.ts";

/** Compiled at once: the compiler's memory is bounded. */
const mutantsAtOnce = 24;

/** Test contracts by file, as a pattern: those that are tried first. */
const testsOf: Readonly<Record<string, string>> = {
  "AgentRevenue.sol": "AgentRevenue",
  "Disputes.sol": "Disputes",
  "Finality.sol": "SettlementFinality|RollBack",
  "InferiumGovernor.sol": "Governor",
  "IFRToken.sol": "IFRToken",
  "InferiumTimelock.sol": "Timelock|Governor",
  "NodeRegistry.sol": "NodeRegistry",
  "Proceeds.sol": "Proceeds|PublicToken",
  "RewardDistributor.sol": "RewardDistributor",
  "Settlement.sol": "Settlement|RollBack",
  "SlashingManager.sol": "SlashingManager|SlashMissed|Contradiction|DoubleSettlement|Equivocation",
  "TaskEscrow.sol": "TaskEscrow|EscrowWithdrawal|SettlementTold",
  "ValidatorSets.sol": "ValidatorSets|SettlementTold",
  "libraries/Certificates.sol": "ValidatorSets",
  "libraries/Evidence.sol": "SlashingManager|SlashMissed|Contradiction|Equivocation|DisputesOpen",
  "libraries/Signatures.sol": "NodeRegistryTest|ValidatorSetsTest",
  "zk/Groth16.sol": "ZkVerifier",
  "zk/ModelRegistry.sol": "ZkVerifier",
  "zk/VerifyingKeys.sol": "ZkVerifier|InferenceGameProof",
  "zk/ZkFaults.sol": "ZkFaults",
  "zk/ZkVerifier.sol": "ZkVerifier",
  "zk/game/GameModels.sol": "GameModels|InferenceGame",
  "zk/game/InferenceGame.sol": "InferenceGame",
  "zk/game/Statements.sol": "GameModels|InferenceGame",
  "zk/game/TileVerifier.sol": "InferenceGameProof",
  "zk/game/Tiles.sol": "Tiles|InferenceGame",
};

/** @returns an exit status */
function mutate(): number {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== "--mutate"),
    options: {
      sample: { type: "string" },
      seed: { type: "string" },
      minutes: { type: "string" },
      anew: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const seed = readNumber("seed", values.seed) ?? 1;
  const mutants = chooseMutants(positionals, readNumber("sample", values.sample), seed);
  const endsAt = Date.now() + (readNumber("minutes", values.minutes) ?? Number.POSITIVE_INFINITY) * 60_000;
  const book = new MutationBook(values.anew);
  const open = mutants.filter((mutant) => book.isOpen(mutant));
  process.stdout.write(`${mutants.length} mutants, ${open.length} of them to be tried.\n`);
  if (open.length > 0) testMutants(open, book, endsAt);
  process.stdout.write(book.formatTable(mutants));
  const stale = book.listStale();
  for (const line of stale) process.stdout.write(`No such mutant any more: ${line}\n`);
  const { survived, untried } = book.count(mutants);
  return survived + untried + stale.length === 0 ? 0 : 1;
}

function testMutants(mutants: readonly Mutant[], book: MutationBook, endsAt: number): void {
  const project = new MutationProject();
  try {
    project.testOriginals();
    for (let first = 0; first < mutants.length; first += mutantsAtOnce) {
      const some = mutants.slice(first, first + mutantsAtOnce);
      if (Date.now() >= endsAt) return;
      project.compile(some);
      for (const mutant of some) {
        if (Date.now() >= endsAt) return;
        if (project.isKilled(mutant, testsOf[mutant.file])) {
          book.addKilled(mutant);
        } else {
          book.addSurvivor(mutant);
          process.stdout.write(`survived: ${mutant.file}:${mutant.line} ${mutant.what}\n`);
        }
      }
      process.stdout.write(`${Math.min(first + mutantsAtOnce, mutants.length)} of ${mutants.length} tried\n`);
    }
  } finally {
    project.remove();
  }
}

function readNumber(option: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const value = Number(given);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Error(`--${option} must be a whole number of at least 1, got "${given}".`);
}

try {
  process.exitCode = mutate();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/**
 * The bounds that the contracts' constructors check, checked before anything is sent: a deployment that one of them refuses
 * would stand in part, and be of no use. Pure.
 */
import { InferiumError } from "../base/errors.ts";
import { type Allocation, oneToken, type ResolvedParameters } from "./deploy-parameters.ts";

const day = 86_400;
/** The most that may ever be minted. */
const maxSupplyWei = 250_000_000n * oneToken;
/** In one transaction, which has to fit a block. */
const maxAllocations = 64;

type NumberField = {
  [K in keyof ResolvedParameters]: ResolvedParameters[K] extends number | bigint ? K : never;
}[keyof ResolvedParameters];

const bounds: Readonly<Record<NumberField, readonly [minimum: number | bigint, maximum: number | bigint]>> = {
  workerBondWei: [1n, 10_000_000n * oneToken],
  validatorBondWei: [1n, 10_000_000n * oneToken],
  workerUnbondSeconds: [1, 90 * day],
  validatorUnbondSeconds: [1, 90 * day],
  reporterBps: [0, 3_000],
  graceSeconds: [0, 7 * day],
  rejectQuorum: [2, 64],
  rejectedBps: [1, 5_000],
  missedBps: [1, 500],
  evidenceSeconds: [0, 60 * day],
  challengeSeconds: [0, 30 * day],
  withdrawalSeconds: [0, 90 * day],
  disputeBondWei: [1n, 1_000_000n * oneToken],
  jurySize: [2, 32],
  juryCommitSeconds: [1, 7 * day],
  juryRevealSeconds: [1, 7 * day],
  vetoSeconds: [0, 14 * day],
  timelockSeconds: [0, 30 * day],
  votingDelaySeconds: [0, 30 * day],
  votingPeriodSeconds: [1, 30 * day],
  proposalThresholdWei: [0n, 2_500_000n * oneToken],
  governorQuorumBps: [1, 5_000],
  gameBondWei: [1n, 1_000_000n * oneToken],
  gameMoveSeconds: [1, 30 * day],
  gameRefutedBps: [1, 10_000],
  gameDefenderBps: [0, 5_000],
};

/** @throws InferiumError InvalidParameters, naming the field, what it is and what it may be */
export function checkBounds(p: ResolvedParameters): void {
  for (const [field, [minimum, maximum]] of Object.entries(bounds)) {
    const value = p[field as NumberField];
    if (value < minimum || value > maximum)
      throw invalid(`${field} is ${value}; the contracts take ${minimum} to ${maximum}.`);
  }
  if (p.challengeSeconds * 2 >= p.withdrawalSeconds)
    throw invalid(
      `withdrawalSeconds is ${p.withdrawalSeconds}; it must be more than two challenge windows of ${p.challengeSeconds} s.`,
    );
  const { validators } = p;
  if (validators.length === 0 || validators.length > 128)
    throw invalid(`validators are ${validators.length}; the contracts take 1 to 128.`);
  const distinct = new Set(validators.map((address) => address.toLowerCase()));
  if (distinct.size !== validators.length) throw invalid("A validator is named more than once.");
  for (const part of ["validators", "treasury"] as const)
    if (p.agentSplitBps[part] > 3_000)
      throw invalid(`agentSplitBps.${part} is ${p.agentSplitBps[part]}; the contracts take at most 3000.`);
}

/** Claim, open and prove; a proposal and an answer for each halving: 6 of layers, 12 of blocks, 12 of tiles. */
const longestGameMoves = 63;

/** Where the dispute game is deployed. @throws InferiumError InvalidParameters */
export function checkGameBounds({ gameMoveSeconds, workerUnbondSeconds }: ResolvedParameters): void {
  const longestSeconds = longestGameMoves * gameMoveSeconds;
  if (longestSeconds < workerUnbondSeconds) return;
  throw invalid(
    `gameMoveSeconds is ${gameMoveSeconds}: the longest dispute game would take ${longestSeconds} s, and workers withdraw after ${workerUnbondSeconds} s (workerUnbondSeconds).`,
  );
}

/** Governance that is the admin from the first block needs somebody who can propose, and somebody quick to pause. */
export function checkGovernance(p: ResolvedParameters, timelock: string, guardian: string | undefined): void {
  const allocatedWei = p.allocations.reduce((sum, { amountWei }) => sum + amountWei, 0n);
  if (p.allocations.length > maxAllocations)
    throw invalid(`allocations are ${p.allocations.length}; at most ${maxAllocations} fit one transaction.`);
  if (allocatedWei > maxSupplyWei)
    throw invalid(`allocations sum to ${allocatedWei} wei; at most ${maxSupplyWei} can be minted.`);
  if (p.admin !== timelock) return;
  if (guardian === undefined)
    throw invalid("guardian is missing and admin is timelock, which is too slow to pause anything; name an account.");
  const neededWei = p.proposalThresholdWei > 0n ? p.proposalThresholdWei : 1n;
  const most = largestOf(p.allocations);
  if (most >= neededWei) return;
  throw invalid(
    `admin is timelock and the largest of ${p.allocations.length} allocations is ${most} wei: nobody could propose anything, ` +
      `ever. Allocate at least ${neededWei} wei to somebody, or name an account as admin.`,
  );
}

/** By account: one may be named twice. */
function largestOf(allocations: readonly Allocation[]): bigint {
  const sums = new Map<string, bigint>();
  for (const { account, amountWei } of allocations) sums.set(account, (sums.get(account) ?? 0n) + amountWei);
  return [...sums.values()].reduce((most, wei) => (wei > most ? wei : most), 0n);
}

function invalid(message: string): InferiumError {
  return new InferiumError("InvalidParameters", message);
}

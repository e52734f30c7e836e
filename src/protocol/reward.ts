/**
 * Stage 8: how a task's reward is split, and an agent's revenue. Integer arithmetic; what does not divide stays with the
 * worker, or with the agent's creator as AgentRevenue has it. Pure.
 */

export interface RewardShares {
  readonly workerBps: number;
  readonly validatorsBps: number;
  readonly treasuryBps: number;
  readonly burnBps: number;
}

/** 80 worker, 12 validators, 5 treasury, 3 burnt. */
export const defaultShares: RewardShares = { workerBps: 8000, validatorsBps: 1200, treasuryBps: 500, burnBps: 300 };

/** Tokens credited to this address can never be claimed: nobody has its key. */
export const burnAddress = "0x000000000000000000000000000000000000dEaD";

export interface RewardInput {
  readonly rewardWei: bigint;
  /** Who is paid for the work. */
  readonly workerPayee: string;
  /** Who is paid for each deciding vote. */
  readonly validatorPayees: readonly string[];
  readonly treasury: string;
  readonly shares?: RewardShares;
}

/** Credits by address; they sum to the reward exactly. Without validators their share goes to the treasury. */
export function computeRewardSplit(input: RewardInput): Map<string, bigint> {
  const shares = input.shares ?? defaultShares;
  const part = (bps: number) => (input.rewardWei * BigInt(bps)) / 10_000n;
  const credits = new Map<string, bigint>();
  const credit = (account: string, wei: bigint) => {
    if (wei > 0n) credits.set(account, (credits.get(account) ?? 0n) + wei);
  };
  const validators = part(shares.validatorsBps);
  const perValidator = input.validatorPayees.length > 0 ? validators / BigInt(input.validatorPayees.length) : 0n;
  for (const payee of input.validatorPayees) credit(payee, perValidator);
  credit(input.treasury, part(shares.treasuryBps) + (input.validatorPayees.length > 0 ? 0n : validators));
  credit(burnAddress, part(shares.burnBps));
  const spent = [...credits.values()].reduce((sum, wei) => sum + wei, 0n);
  credit(input.workerPayee, input.rewardWei - spent);
  return credits;
}

/** As AgentRevenue's `split` has them on the chain; they sum to 10,000. */
export interface AgentShares {
  readonly creatorBps: number;
  readonly hostBps: number;
  readonly validatorsBps: number;
  readonly treasuryBps: number;
}

export interface RevenueInput {
  readonly revenueWei: bigint;
  readonly creator: string;
  readonly host: string;
  /** Who is paid for each deciding vote. */
  readonly validatorPayees: readonly string[];
  readonly treasury: string;
  readonly shares: AgentShares;
}

/** Credits by address; they sum to the revenue exactly. The fractions are those of AgentRevenue.pay. */
export function computeRevenueSplit(input: RevenueInput): Map<string, bigint> {
  const { revenueWei, shares, validatorPayees } = input;
  const part = (bps: number) => (revenueWei * BigInt(bps)) / 10_000n;
  const credits = new Map<string, bigint>();
  const credit = (account: string, wei: bigint) => {
    if (wei > 0n) credits.set(account, (credits.get(account) ?? 0n) + wei);
  };
  const validators = part(shares.validatorsBps);
  const perValidator = validatorPayees.length > 0 ? validators / BigInt(validatorPayees.length) : 0n;
  for (const payee of validatorPayees) credit(payee, perValidator);
  credit(input.treasury, part(shares.treasuryBps) + (validatorPayees.length > 0 ? 0n : validators));
  credit(input.host, part(shares.hostBps));
  const spent = [...credits.values()].reduce((sum, wei) => sum + wei, 0n);
  credit(input.creator, revenueWei - spent);
  return credits;
}

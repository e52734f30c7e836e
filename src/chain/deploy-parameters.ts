/**
 * What a deployment can choose. The contracts check the bounds again. Amounts are base units of the token, delays are
 * seconds, shares are basis points.
 */
export interface DeployParameters {
  /** The first set of validators, any order; trusted as given, since nobody can have bonded before. */
  readonly validators: readonly string[];
  /** Grants roles, mints, rotates validators, sets parameters; "timelock" leaves all that to governance. Default: the deployer. */
  readonly admin?: string;
  /** Tokens minted by the token's constructor, each voting for its holder: where governance is the admin, its first voters. */
  readonly allocations?: readonly Allocation[];
  /** May pause settling and claiming for 72 hours. Default: the admin, which as the timelock is too slow for it: name one. */
  readonly guardian?: string;
  readonly workerBondWei?: bigint;
  readonly validatorBondWei?: bigint;
  readonly workerUnbondSeconds?: number;
  readonly validatorUnbondSeconds?: number;
  /** Reporter's share of a slash; at most 3,000. */
  readonly reporterBps?: number;
  /** How long the previous validator set may still certify batches after a rotation. */
  readonly graceSeconds?: number;
  /** Validators that must have rejected a result before its worker is slashed; at least 2. */
  readonly rejectQuorum?: number;
  /** Penalty for a rejected result; at most 5,000. */
  readonly rejectedBps?: number;
  /** Penalty for a claim whose deadline passed without an answer; at most 500. */
  readonly missedBps?: number;
  /** How long after its epoch a validator's vote counts as evidence. */
  readonly evidenceSeconds?: number;
  /** How long a batch can be rolled back before its balances are paid. */
  readonly challengeSeconds?: number;
  /** From a requester's wish for its deposit to the payment; longer than two challenge windows. */
  readonly withdrawalSeconds?: number;
  readonly disputeBondWei?: bigint;
  readonly jurySize?: number;
  readonly juryCommitSeconds?: number;
  readonly juryRevealSeconds?: number;
  /** For the guardian, between a ruling and its execution. */
  readonly vetoSeconds?: number;
  /** Gets its share of what agents earn. Default: the admin. */
  readonly treasury?: string;
  readonly agentSplitBps?: {
    readonly creator: number;
    readonly host: number;
    readonly validators: number;
    readonly treasury: number;
  };
  /** From a vote that passed to its execution. */
  readonly timelockSeconds?: number;
  readonly votingDelaySeconds?: number;
  readonly votingPeriodSeconds?: number;
  readonly proposalThresholdWei?: bigint;
  /** Share of the supply that must take part in a vote. */
  readonly governorQuorumBps?: number;
  /** What a challenger of a dispute game puts up; at most 1,000,000 IFR. The four of the game matter where it is deployed. */
  readonly gameBondWei?: bigint;
  /** For one move; 63 of them must end before a worker's stake can be withdrawn. */
  readonly gameMoveSeconds?: number;
  /** Penalty of a worker whose receipt a game has refuted. */
  readonly gameRefutedBps?: number;
  /** Share of a lost challenger's bond that goes to the worker; at most 5,000. */
  readonly gameDefenderBps?: number;
  /** Whether ModelRegistry and TileVerifier take keys of one party's setup, who could forge proofs. For trials alone; cannot be changed later. */
  readonly allowDevelopmentSetup?: boolean;
}

export interface Allocation {
  readonly account: string;
  readonly amountWei: bigint;
}

export const oneToken = 10n ** 18n;
const day = 86_400;

export const defaultDeployParameters = {
  allocations: [] as readonly Allocation[],
  workerBondWei: 10_000n * oneToken,
  validatorBondWei: 50_000n * oneToken,
  workerUnbondSeconds: 14 * day,
  validatorUnbondSeconds: 21 * day,
  reporterBps: 3_000,
  graceSeconds: 3_600,
  rejectQuorum: 2,
  rejectedBps: 1_000,
  missedBps: 100,
  evidenceSeconds: 14 * day,
  challengeSeconds: day,
  withdrawalSeconds: 4 * day,
  disputeBondWei: 1_000n * oneToken,
  jurySize: 5,
  juryCommitSeconds: 12 * 3_600,
  juryRevealSeconds: 12 * 3_600,
  vetoSeconds: 2 * day,
  agentSplitBps: { creator: 6_000, host: 2_500, validators: 1_000, treasury: 500 },
  timelockSeconds: 2 * day,
  votingDelaySeconds: day,
  votingPeriodSeconds: 5 * day,
  proposalThresholdWei: 100_000n * oneToken,
  governorQuorumBps: 400,
  gameBondWei: 500n * oneToken,
  gameMoveSeconds: 7_200,
  gameRefutedBps: 1_000,
  gameDefenderBps: 3_000,
  allowDevelopmentSetup: false,
} as const;

export type ResolvedParameters = Required<DeployParameters>;

export function resolveParameters(
  given: DeployParameters,
  known: { readonly deployer: string; readonly timelock: string },
): ResolvedParameters {
  const admin = given.admin === "timelock" ? known.timelock : (given.admin ?? known.deployer);
  return {
    ...defaultDeployParameters,
    ...given,
    admin,
    guardian: given.guardian ?? admin,
    treasury: given.treasury ?? admin,
  };
}

export function registryParameters(p: ResolvedParameters): (bigint | number)[] {
  return [p.workerBondWei, p.validatorBondWei, p.workerUnbondSeconds, p.validatorUnbondSeconds, p.reporterBps];
}

export function slashingParameters(p: ResolvedParameters): (bigint | number)[] {
  return [p.rejectQuorum, p.rejectedBps, p.missedBps, p.evidenceSeconds];
}

export function disputeParameters(p: ResolvedParameters): (bigint | number)[] {
  return [
    p.disputeBondWei,
    p.jurySize,
    p.juryCommitSeconds,
    p.juryRevealSeconds,
    p.vetoSeconds,
    p.evidenceSeconds,
    p.rejectedBps,
  ];
}

export function gameParameters(p: ResolvedParameters): (bigint | number)[] {
  return [p.gameBondWei, p.gameMoveSeconds, p.gameRefutedBps, p.gameDefenderBps];
}

/**
 * What a deployment can choose. The contracts check the bounds again. Amounts are base units of the token, delays are
 * seconds, shares are basis points.
 */
export interface DeployParameters {
  /** The first set of validators, any order; trusted as given, since nobody can have bonded before. */
  readonly validators: readonly string[];
  /** Grants roles, mints, rotates validators. Default: the deployer. */
  readonly admin?: string;
  /** May pause settling and claiming for 72 hours. Default: the admin. */
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
  /** How long after its epoch a validator's rejection counts as evidence. */
  readonly evidenceSeconds?: number;
}

export const oneToken = 10n ** 18n;
const day = 86_400;

export const defaultDeployParameters = {
  workerBondWei: 10_000n * oneToken,
  validatorBondWei: 50_000n * oneToken,
  workerUnbondSeconds: 14 * day,
  validatorUnbondSeconds: 21 * day,
  reporterBps: 3_000,
  graceSeconds: 3_600,
  rejectQuorum: 2,
  rejectedBps: 1_000,
  evidenceSeconds: 14 * day,
} as const;

export type ResolvedParameters = Required<DeployParameters>;

export function resolveParameters(given: DeployParameters, deployer: string): ResolvedParameters {
  const admin = given.admin ?? deployer;
  return { ...defaultDeployParameters, ...given, admin, guardian: given.guardian ?? admin };
}

/** Where one deployment of the protocol lives. Written by `deployContracts`, passed to everything that talks to it. */
import type { ContractName } from "./artifacts.ts";

export interface ContractAddresses {
  readonly token: string;
  readonly registry: string;
  readonly validatorSets: string;
  readonly escrow: string;
  readonly settlement: string;
  readonly distributor: string;
  readonly slashing: string;
  readonly disputes: string;
  readonly agentRevenue: string;
  readonly timelock: string;
  readonly governor: string;
  readonly modelRegistry: string;
  readonly zkVerifier: string;
  readonly zkFaults: string;
}

/** The contract behind each address, in the order of deployment. */
export const contractOf: Readonly<Record<keyof ContractAddresses, ContractName>> = {
  token: "IFRToken",
  registry: "NodeRegistry",
  validatorSets: "ValidatorSets",
  escrow: "TaskEscrow",
  settlement: "Settlement",
  distributor: "RewardDistributor",
  slashing: "SlashingManager",
  disputes: "Disputes",
  agentRevenue: "AgentRevenue",
  timelock: "InferiumTimelock",
  governor: "InferiumGovernor",
  modelRegistry: "ModelRegistry",
  zkVerifier: "ZkVerifier",
  zkFaults: "ZkFaults",
};

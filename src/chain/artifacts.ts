/**
 * The committed ABI and bytecode of the contracts (`contracts/artifacts/`, written by `contracts/tools/build.ts`). Read
 * once per contract and process.
 */
import { readFileSync } from "node:fs";
import { Interface, type InterfaceAbi } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { packageRoot } from "../base/package-root.ts";

export const contractNames = [
  "IFRToken",
  "NodeRegistry",
  "ValidatorSets",
  "TaskEscrow",
  "Settlement",
  "RewardDistributor",
  "SlashingManager",
  "Disputes",
  "AgentRevenue",
  "InferiumTimelock",
  "InferiumGovernor",
  "ModelRegistry",
  "ZkVerifier",
  "ZkFaults",
  "GameModels",
  "TileVerifier",
  "InferenceGame",
] as const;
export type ContractName = (typeof contractNames)[number];

export interface Artifact {
  readonly contractName: ContractName;
  readonly abi: Interface;
  /** Creation code, 0x-hex. */
  readonly bytecode: string;
}

const directory = new URL("contracts/artifacts/", packageRoot);
const loaded = new Map<ContractName, Artifact>();

/** @throws InferiumError ArtifactMissing */
export function loadArtifact(name: ContractName): Artifact {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const { abi, bytecode } = readArtifact(name);
  const artifact: Artifact = { contractName: name, abi: new Interface(abi), bytecode };
  loaded.set(name, artifact);
  return artifact;
}

function readArtifact(name: ContractName): { abi: InterfaceAbi; bytecode: string } {
  const file = new URL(`${name}.json`, directory);
  try {
    return JSON.parse(readFileSync(file, "utf8")) as { abi: InterfaceAbi; bytecode: string };
  } catch (cause) {
    throw new InferiumError(
      "ArtifactMissing",
      `The compiled contract ${name} could not be read from ${file.pathname}. Run npm run generate.`,
      { disposition: "fatal", cause },
    );
  }
}

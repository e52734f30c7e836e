/** Compares what stands on a chain with the committed artifacts and the parameters of a file. Reads only. */
import { isDeepStrictEqual } from "node:util";
import { id, type JsonRpcProvider, type Result } from "ethers";
import { type ContractAddresses, contractOf } from "./addresses.ts";
import { loadArtifact } from "./artifacts.ts";
import { sortAddresses } from "./certificate.ts";
import {
  disputeParameters,
  type ResolvedParameters,
  registryParameters,
  slashingParameters,
} from "./deploy-parameters.ts";
import { matchesCode } from "./match-code.ts";
import { toChainError } from "./revert.ts";

export interface DeploymentFinding {
  readonly contract: keyof ContractAddresses;
  readonly what: string;
}

type Expectation = readonly [
  contract: keyof ContractAddresses,
  call: string,
  values: readonly unknown[],
  wanted: unknown,
];

/** Empty where code and parameters are as they must be. @throws InferiumError RpcFailed */
export async function verifyDeployment(
  provider: JsonRpcProvider,
  at: ContractAddresses,
  p: ResolvedParameters,
): Promise<DeploymentFinding[]> {
  const findings: DeploymentFinding[] = [];
  for (const contract of Object.keys(contractOf) as (keyof ContractAddresses)[]) {
    const code = await provider.getCode(at[contract]);
    if (matchesCode(loadArtifact(contractOf[contract]).bytecode, code)) continue;
    const what =
      code === "0x" ? `no code at ${at[contract]}` : `other code than ${contractOf[contract]}'s at ${at[contract]}`;
    findings.push({ contract, what });
  }
  if (findings.length > 0) return findings;
  for (const [contract, call, values, wanted] of listExpectations(at, p)) {
    const got = await read(provider, { to: at[contract], contract, call, values });
    if (isDeepStrictEqual(got, wanted)) continue;
    findings.push({ contract, what: `${call}(${values.join(", ")}) is ${toText(got)}, expected ${toText(wanted)}` });
  }
  return findings;
}

const adminRole = `0x${"0".repeat(64)}`;
const slasherRole = id("SLASHER_ROLE");
const removerRole = id("REMOVER_ROLE");

/** What the constructors were given, as the contracts tell it. What governance may change later is compared too. */
function listExpectations(at: ContractAddresses, p: ResolvedParameters): Expectation[] {
  const roles = (
    [
      "token",
      "registry",
      "validatorSets",
      "settlement",
      "slashing",
      "disputes",
      "agentRevenue",
      "modelRegistry",
    ] as const
  ).map((contract): Expectation => [contract, "hasRole", [adminRole, p.admin], true]);
  return [
    ...roles,
    ["registry", "parameters", [], toUnits(...registryParameters(p))],
    ["slashing", "parameters", [], toUnits(...slashingParameters(p))],
    ["disputes", "parameters", [], toUnits(...disputeParameters(p))],
    ["validatorSets", "validatorsOf", [1], sortAddresses(p.validators)],
    ["validatorSets", "graceSeconds", [], BigInt(p.graceSeconds)],
    ["escrow", "withdrawalDelay", [], BigInt(p.withdrawalSeconds)],
    ["escrow", "distributor", [], at.distributor],
    ["escrow", "settlement", [], at.settlement],
    ["settlement", "challengeSeconds", [], BigInt(p.challengeSeconds)],
    ["settlement", "escrow", [], at.escrow],
    ["timelock", "getMinDelay", [], BigInt(p.timelockSeconds)],
    ["governor", "timelock", [], at.timelock],
    // Who proves a false statement of a validator takes its bond and its seat through this contract.
    ["registry", "hasRole", [slasherRole, at.zkFaults], true],
    ["validatorSets", "hasRole", [removerRole, at.zkFaults], true],
    ["modelRegistry", "allowDevelopmentSetup", [], p.allowDevelopmentSetup],
    ["zkVerifier", "registry", [], at.modelRegistry],
    ["zkFaults", "verifier", [], at.zkVerifier],
    ["zkFaults", "settlement", [], at.settlement],
    ["zkFaults", "registry", [], at.registry],
    ["zkFaults", "validatorSets", [], at.validatorSets],
  ];
}

const toUnits = (...values: (number | bigint)[]) => values.map((value) => BigInt(value));

async function read(
  provider: JsonRpcProvider,
  {
    to,
    contract,
    call,
    values,
  }: { to: string; contract: keyof ContractAddresses; call: string; values: readonly unknown[] },
): Promise<unknown> {
  const { abi } = loadArtifact(contractOf[contract]);
  try {
    const data = await provider.call({ to, data: abi.encodeFunctionData(call, values) });
    const [first]: Result = abi.decodeFunctionResult(call, data);
    return Array.isArray(first) ? [...(first as Result)] : first;
  } catch (error) {
    throw toChainError(`Reading ${contractOf[contract]}.${call}`, error);
  }
}

function toText(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(", ")}]` : String(value);
}

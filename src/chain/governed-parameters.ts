/**
 * Reads the parameters that a vote can change, and turns wanted changes into the calls of a proposal. Used by the command line.
 */
import type { Result } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { type ContractAddresses, contractOf } from "./addresses.ts";
import { loadArtifact } from "./artifacts.ts";
import type { Reader } from "./client.ts";
import { type Bound, type GovernedGroup, governedGroups } from "./governed-groups.ts";
import { formatValue, type ParameterUnit, parseValue, toAddress } from "./parameter-value.ts";

export interface GovernedParameter {
  /** As `registry.workerMinimum`. */
  readonly name: string;
  readonly unit: ParameterUnit;
  /** Addresses as numbers too. */
  readonly value: bigint;
  readonly least: bigint | undefined;
  readonly most: bigint | undefined;
  /** Whether the contract does what the timelock says: else a vote could pass, and never be executed. */
  readonly isGoverned: boolean;
}

/** @throws InferiumError RpcFailed */
export async function readParameters(read: Reader, addresses: ContractAddresses): Promise<GovernedParameter[]> {
  const groups = await Promise.all(governedGroups.map((group) => readGroup(read, addresses, group)));
  return groups.flat();
}

async function readGroup(
  read: Reader,
  addresses: ContractAddresses,
  group: GovernedGroup,
): Promise<GovernedParameter[]> {
  const [values, isGoverned] = await Promise.all([readValues(read, group), isUnder(read, addresses, group.contract)]);
  return Promise.all(
    group.fields.map(async (field, index) => ({
      ...{ name: `${group.contract}.${field.name}`, unit: field.unit, value: values[index] ?? 0n, isGoverned },
      least: await resolve(read, field.least),
      most: await resolve(read, field.most),
    })),
  );
}

const adminRole = `0x${"0".repeat(64)}`;

async function isUnder(read: Reader, { timelock }: ContractAddresses, contract: keyof ContractAddresses) {
  if (contract === "governor" || contract === "timelock") return true;
  return (await read(contract, "hasRole", [adminRole, timelock]))[0] as boolean;
}

async function readValues(read: Reader, { contract, getter, fields }: GovernedGroup): Promise<bigint[]> {
  const [first] = await read(contract, getter, []);
  const values: unknown[] = fields.length === 1 ? [first] : [...(first as Result)];
  return values.map((value) => BigInt(value as bigint | string));
}

async function resolve(read: Reader, bound: Bound | undefined): Promise<bigint | undefined> {
  return typeof bound === "function" ? bound(read) : bound;
}

export interface PlannedCall {
  readonly contract: keyof ContractAddresses;
  readonly call: string;
  readonly values: readonly unknown[];
}

/** @throws where the contract has no such call, or takes other values */
export function encodePlanned({ contract, call, values }: PlannedCall): string {
  return loadArtifact(contractOf[contract]).abi.encodeFunctionData(call, values);
}

/**
 * The calls that make these changes, one for all that a contract sets together; what is not named stays as it is.
 * @param changes text by parameter's name
 * @throws InferiumError UnknownParameter, InvalidParameters, NotGoverned
 */
export async function planChanges(
  read: Reader,
  addresses: ContractAddresses,
  changes: ReadonlyMap<string, string>,
): Promise<PlannedCall[]> {
  const names = governedGroups.flatMap(({ contract, fields }) => fields.map(({ name }) => `${contract}.${name}`));
  const unknown = [...changes.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const message = `No parameter is called "${unknown}"; there are ${names.join(", ")}.`;
    throw new InferiumError("UnknownParameter", message);
  }
  const calls: PlannedCall[] = [];
  for (const group of governedGroups) {
    if (!group.fields.some(({ name }) => changes.has(`${group.contract}.${name}`))) continue;
    const parameters = await readGroup(read, addresses, group);
    const values = parameters.map((parameter) => change(parameter, changes.get(parameter.name)));
    const problem = group.check?.(values);
    if (problem !== undefined) throw new InferiumError("InvalidParameters", problem);
    const shown = values.map((value, index) => (parameters[index]?.unit === "address" ? toAddress(value) : value));
    calls.push({ contract: group.contract, call: group.setter, values: shown.length === 1 ? shown : [shown] });
  }
  return calls;
}

function change(parameter: GovernedParameter, text: string | undefined): bigint {
  const { name, unit, value, least = 0n, most, isGoverned } = parameter;
  if (text === undefined) return value;
  if (!isGoverned) {
    const message = `${name.split(".")[0]} does not do what the timelock says (it lacks the admin role there): a vote on ${name} could pass and never be executed.`;
    throw new InferiumError("NotGoverned", message);
  }
  const wanted = parseValue(name, unit, text);
  if (wanted < least || (most !== undefined && wanted > most)) {
    const range = `${formatValue(unit, least)} to ${formatValue(unit, most ?? least)}`;
    throw new InferiumError("InvalidParameters", `${name} cannot be ${text}; the contract takes ${range}.`);
  }
  if (wanted === value) throw new InferiumError("InvalidParameters", `${name} is ${formatValue(unit, value)} already.`);
  return wanted;
}

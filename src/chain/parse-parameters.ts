/**
 * The parameters of a deployment from a file, YAML or JSON: the fields of DeployParameters, each checked, with errors that name
 * the field, what it holds and what was expected. Amounts are decimal strings of wei.
 */
import { getAddress } from "ethers";
import { parse } from "yaml";
import { InferiumError } from "../base/errors.ts";
import type { DeployParameters } from "./deploy-parameters.ts";

type Field = keyof DeployParameters;
type Reader = (value: unknown, field: string) => unknown;

const address: Reader = (value, field) => {
  try {
    return getAddress(String(value));
  } catch {
    throw invalid(field, value, "an address of 20 bytes whose checksum holds, in quotes");
  }
};

const wei: Reader = (value, field) => {
  if (typeof value === "string" && /^(0|[1-9][0-9]{0,37})$/.test(value)) return BigInt(value);
  throw invalid(field, value, "wei as digits in quotes, such as '10000000000000000000000'");
};

const whole: Reader = (value, field) => {
  if (Number.isSafeInteger(value) && Number(value) >= 0) return value;
  throw invalid(field, value, "a whole number");
};

const bps: Reader = (value, field) => {
  if (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 10_000) return value;
  throw invalid(field, value, "basis points from 0 to 10000");
};

const flag: Reader = (value, field) => {
  if (typeof value === "boolean") return value;
  throw invalid(field, value, "true or false");
};

const readers: Readonly<Record<Field, Reader>> = {
  validators: (value, field) => {
    if (!Array.isArray(value) || value.length === 0) throw invalid(field, value, "a list of at least one address");
    return value.map((entry, index) => address(entry, `${field}[${index}]`));
  },
  admin: (value, field) => (value === "timelock" ? value : address(value, field)),
  allocations: (value, field) => {
    if (!Array.isArray(value)) throw invalid(field, value, "a list of accounts with amountWei");
    return value.map((entry, index) => readAllocation(entry, `${field}[${index}]`));
  },
  guardian: address,
  treasury: address,
  workerBondWei: wei,
  validatorBondWei: wei,
  disputeBondWei: wei,
  gameBondWei: wei,
  proposalThresholdWei: wei,
  workerUnbondSeconds: whole,
  validatorUnbondSeconds: whole,
  graceSeconds: whole,
  evidenceSeconds: whole,
  challengeSeconds: whole,
  withdrawalSeconds: whole,
  juryCommitSeconds: whole,
  juryRevealSeconds: whole,
  vetoSeconds: whole,
  timelockSeconds: whole,
  votingDelaySeconds: whole,
  votingPeriodSeconds: whole,
  gameMoveSeconds: whole,
  rejectQuorum: whole,
  jurySize: whole,
  reporterBps: bps,
  rejectedBps: bps,
  missedBps: bps,
  governorQuorumBps: bps,
  gameRefutedBps: bps,
  gameDefenderBps: bps,
  allowDevelopmentSetup: flag,
  agentSplitBps: (value, field) => {
    const parts = record(value, field);
    const names = ["creator", "host", "validators", "treasury"];
    const split = names.map((name) => [name, bps(parts[name], `${field}.${name}`)] as const);
    const sum = split.reduce((total, [, part]) => total + Number(part), 0);
    if (sum !== 10_000) throw invalid(field, sum, "four shares that sum to 10000");
    return Object.fromEntries(split);
  },
};

function readAllocation(value: unknown, field: string) {
  const { account, amountWei, ...rest } = record(value, field);
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw invalid(`${field}.${unknown}`, rest[unknown], "account or amountWei");
  return { account: address(account, `${field}.account`), amountWei: wei(amountWei, `${field}.amountWei`) };
}

/** @throws InferiumError InvalidParameters */
export function parseParameters(text: string): DeployParameters {
  let given: Record<string, unknown>;
  try {
    given = record(parse(text), "the file");
  } catch (cause) {
    if (cause instanceof InferiumError) throw cause;
    throw new InferiumError("InvalidParameters", "The parameters are neither YAML nor JSON.", { cause });
  }
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(readers, name));
  if (unknown !== undefined) throw invalid(unknown, given[unknown], `one of ${Object.keys(readers).join(", ")}`);
  if (given.validators === undefined) throw invalid("validators", undefined, "the first set of validators");
  const entries = Object.entries(given).map(([name, value]) => [name, readers[name as Field](value, name)]);
  return Object.fromEntries(entries) as DeployParameters;
}

function record(value: unknown, field: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(field, value, "fields by name");
}

function invalid(field: string, value: unknown, expected: string): InferiumError {
  const text = JSON.stringify(value) ?? "missing";
  return new InferiumError("InvalidParameters", `${field} is ${text.slice(0, 100)}; expected ${expected}.`);
}

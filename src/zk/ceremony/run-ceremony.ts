/**
 * The steps of a ceremony: begin, contribute, close with a beacon. Each checks what went before as far as that is cheap, writes a
 * new key beside the old ones and then the list of steps, so that a step that breaks off leaves the folder as it was.
 * Called by the command line. Effects: the ceremony's folder.
 */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { sha256 } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import type { PowersOfTau } from "../proving/powers-of-tau.ts";
import type { CeremonyBackend } from "../proving/proving-backend.ts";
import {
  type Ceremony,
  type CeremonyState,
  type CeremonyStep,
  checkNoCeremony,
  checkOpen,
  keyPathOf,
  openCeremony,
  saveCeremony,
} from "./ceremony.ts";
import { type CeremonyCircuit, checkFits } from "./ceremony-circuit.ts";
import { readKeyFile } from "./zkey-file.ts";

export interface CeremonyTools {
  readonly backend: CeremonyBackend;
  readonly signal?: AbortSignal;
}

export interface CeremonyStart {
  readonly dir: string;
  readonly circuit: CeremonyCircuit;
  readonly powersOfTau: PowersOfTau & { readonly path: string };
}

/** What can be told before anything is made; a dry run ends here. @throws InferiumError CircuitTooLarge, CeremonyExists */
export async function planCeremony({ dir, circuit, powersOfTau }: CeremonyStart): Promise<void> {
  checkFits(circuit, powersOfTau);
  await checkNoCeremony(dir);
}

/** The first key, which has no secret yet. @throws InferiumError CircuitTooLarge, CeremonyExists and of the backend */
export async function startCeremony(
  { dir, circuit, powersOfTau }: CeremonyStart,
  { backend, signal }: CeremonyTools,
): Promise<Ceremony> {
  await planCeremony({ dir, circuit, powersOfTau });
  await mkdir(dir, { recursive: true });
  const zkeyPath = keyPathOf(dir, 0);
  const r1csPath = `${zkeyPath}.r1cs`;
  await writeFile(r1csPath, circuit.r1cs);
  try {
    await backend.startKey({ r1csPath, powersOfTauPath: powersOfTau.path, zkeyPath }, signal);
  } finally {
    await rm(r1csPath, { force: true });
  }
  const { path: _, ...phaseOne } = powersOfTau;
  const ceremony: Ceremony = {
    version: 1,
    subject: circuit.subject,
    r1csDigest: circuit.r1csDigest,
    constraintCount: circuit.constraintCount,
    powersOfTau: phaseOne,
    initialKeyDigest: sha256(await readFile(zkeyPath)),
    steps: [],
  };
  await saveCeremony(dir, ceremony);
  return ceremony;
}

export interface Contribution {
  readonly dir: string;
  readonly name: string;
  readonly entropy?: string;
}

/** @throws InferiumError InvalidContributor, CeremonyClosed and those of openCeremony */
export async function planContribution({ dir, name }: Contribution): Promise<CeremonyState> {
  const state = await openCeremony(dir);
  checkOpen(state.ceremony);
  checkContributor(state.ceremony, name);
  return state;
}

/** @throws InferiumError those of planContribution and of the backend */
export async function contributeTo(
  contribution: Contribution,
  { backend, signal }: CeremonyTools,
): Promise<CeremonyStep> {
  const { dir, name, entropy } = contribution;
  const { ceremony, keyPath } = await planContribution(contribution);
  const files = { fromPath: keyPath, contributor: name, ...(entropy === undefined ? {} : { entropy }) };
  return addStep(dir, ceremony, {}, (zkeyPath) => backend.contribute({ ...files, zkeyPath }, signal));
}

export interface Beacon {
  readonly dir: string;
  /** Public randomness that nobody could know when the last contribution was made, in hex. */
  readonly value: string;
  /** Where it comes from, so that anybody can look it up. */
  readonly source: string;
  readonly iterationsExponent: number;
}

export const beaconName = "beacon";

/** @throws InferiumError InvalidBeacon, CeremonyClosed, NoContribution and those of openCeremony */
export async function planBeacon({ dir, value, source, iterationsExponent }: Beacon): Promise<CeremonyState> {
  checkBeacon(value, source, iterationsExponent);
  const state = await openCeremony(dir);
  checkOpen(state.ceremony);
  checkContributed(state.ceremony);
  return state;
}

/** @throws InferiumError those of planBeacon and of the backend */
export async function closeWithBeacon(beacon: Beacon, { backend, signal }: CeremonyTools): Promise<CeremonyStep> {
  const { dir, value, source, iterationsExponent } = beacon;
  const { ceremony, keyPath } = await planBeacon(beacon);
  const files = { fromPath: keyPath, name: beaconName, value: value.toLowerCase(), iterationsExponent };
  return addStep(dir, ceremony, { source }, (zkeyPath) => backend.applyBeacon({ ...files, zkeyPath }, signal));
}

/** A beacon alone is no secret: everybody knows it. @throws InferiumError NoContribution */
export function checkContributed({ steps }: Ceremony): void {
  if (steps.some(({ beacon }) => beacon === undefined)) return;
  throw new InferiumError(
    "NoContribution",
    "Nobody has contributed: everybody knows the key's secret, and anybody can forge proofs. Contribute first: inferium zk contribute.",
  );
}

async function addStep(
  dir: string,
  ceremony: Ceremony,
  extra: Pick<CeremonyStep, "source">,
  make: (zkeyPath: string) => Promise<string>,
): Promise<CeremonyStep> {
  const target = keyPathOf(dir, ceremony.steps.length + 1);
  const temporary = `${target}.new`;
  try {
    const hash = await make(temporary);
    const bytes = await readFile(temporary);
    const made = readKeyFile(bytes).steps.at(-1);
    if (made?.hash !== hash) {
      throw new InferiumError(
        "ProverFailed",
        `The backend says that it made step ${hash}; its key ends with ${made?.hash}.`,
      );
    }
    const step: CeremonyStep = { ...made, ...extra, keyDigest: sha256(bytes) };
    await rename(temporary, target);
    await saveCeremony(dir, { ...ceremony, steps: [...ceremony.steps, step] });
    return step;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Names are kept in the key's file, 64 bytes at most, and read by people. */
function checkContributor({ steps }: Ceremony, name: string): void {
  if (!/^[!-~][ -~]{0,62}[!-~]$|^[!-~]$/.test(name) || name === beaconName) {
    throw new InferiumError(
      "InvalidContributor",
      `The contributor's name is ${JSON.stringify(name.slice(0, 80))}; expected 1 to 64 printable ASCII characters, and not "${beaconName}".`,
    );
  }
  if (steps.some((step) => step.name === name)) {
    throw new InferiumError("InvalidContributor", `"${name}" has contributed already: each contributes once.`);
  }
}

function checkBeacon(value: string, source: string, exponent: number): void {
  if (!/^([0-9a-fA-F]{2}){32,255}$/.test(value)) {
    throw new InferiumError(
      "InvalidBeacon",
      `The beacon's value is "${value.slice(0, 80)}"; expected 32 to 255 bytes in hex, without 0x.`,
    );
  }
  if (source === "") throw new InferiumError("InvalidBeacon", "Say where the beacon's value can be looked up.");
  if (Number.isInteger(exponent) && exponent >= 10 && exponent <= 63) return;
  throw new InferiumError("InvalidBeacon", `The beacon is to be hashed 2^${exponent} times; expected 10 to 63.`);
}

/**
 * A ceremony as it goes from one contributor to the next: a folder with `ceremony.json` and one proving key for each step. The file
 * says for which circuit and over which first phase, and lists the steps; each key's file repeats its own. Effects: the folder.
 */
import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, sha256 } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import type { PowersOfTau } from "../proving/powers-of-tau.ts";
import { type KeyStep, readKeyFile } from "./zkey-file.ts";

/** Of what the keys are: a model's circuit for so many rows, or the tile that all dispute games share. */
export type CeremonySubject =
  | { readonly kind: "Model"; readonly modelDigest: Digest; readonly rows: number }
  | { readonly kind: "Tile" };

export interface CeremonyStep extends KeyStep {
  /** Of a beacon: where its value comes from, such as a block that was named in advance. */
  readonly source?: string;
  /** sha256 of the key after this step. */
  readonly keyDigest: Digest;
}

export interface Ceremony {
  readonly version: 1;
  readonly subject: CeremonySubject;
  readonly r1csDigest: Digest;
  readonly constraintCount: number;
  readonly powersOfTau: PowersOfTau;
  /** Of the key before all steps. */
  readonly initialKeyDigest: Digest;
  readonly steps: readonly CeremonyStep[];
}

/** The key's file is read whole: it must be smaller than what one buffer holds. */
export interface CeremonyState {
  readonly ceremony: Ceremony;
  /** Of the newest key. */
  readonly keyPath: string;
}

const fileName = "ceremony.json";

export function keyPathOf(dir: string, step: number): string {
  return join(dir, `${String(step).padStart(4, "0")}.zkey`);
}

/** @throws InferiumError CeremonyExists */
export async function checkNoCeremony(dir: string): Promise<void> {
  const known = await readFile(join(dir, fileName)).catch(() => undefined);
  if (known === undefined) return;
  throw new InferiumError(
    "CeremonyExists",
    `${dir} holds a ceremony already. Go on with it, or choose another folder.`,
  );
}

export async function saveCeremony(dir: string, ceremony: Ceremony): Promise<void> {
  const path = join(dir, fileName);
  await writeFile(`${path}.new`, `${JSON.stringify(ceremony, undefined, 2)}\n`);
  await rename(`${path}.new`, path);
}

/**
 * The ceremony and its newest key, which must be the one that the list of steps ends with.
 * @throws InferiumError CeremonyMissing, InvalidCeremony, KeyMissing, InvalidKeyFile, ContributionOutOfOrder
 */
export async function openCeremony(dir: string): Promise<CeremonyState> {
  const ceremony = await readCeremony(dir);
  const keyPath = keyPathOf(dir, ceremony.steps.length);
  const bytes = await readFile(keyPath).catch((cause: unknown) => {
    const message = `${keyPath}, the key after step ${ceremony.steps.length}, cannot be read. Take the whole folder from whoever had it last.`;
    throw new InferiumError("KeyMissing", message, { cause });
  });
  const { steps } = readKeyFile(bytes);
  checkSteps(ceremony, steps);
  const want = ceremony.steps.at(-1)?.keyDigest ?? ceremony.initialKeyDigest;
  const got = sha256(bytes);
  if (got !== want) {
    throw new InferiumError(
      "ContributionOutOfOrder",
      `The newest key ${keyPath} is ${got}; the list of steps ends with ${want}. Take the folder again from whoever had it last.`,
    );
  }
  return { ceremony, keyPath };
}

async function readCeremony(dir: string): Promise<Ceremony> {
  const path = join(dir, fileName);
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new InferiumError("CeremonyMissing", `There is no ceremony at ${path}. Begin one: inferium zk setup.`, {
      cause,
    });
  });
  const ceremony = parse(text) as Partial<Ceremony> | undefined;
  const isWhole = ceremony?.version === 1 && Array.isArray(ceremony.steps) && ceremony.powersOfTau !== undefined;
  if (isWhole && ceremony.subject !== undefined && ceremony.initialKeyDigest !== undefined) return ceremony as Ceremony;
  throw new InferiumError(
    "InvalidCeremony",
    `${path} holds no ceremony of version 1. Take it again from whoever had it last.`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checkSteps({ steps }: Ceremony, inKey: readonly KeyStep[]): void {
  const describe = (step: KeyStep | undefined) =>
    step === undefined ? "none" : `"${step.name}" ${step.hash.slice(0, 16)}`;
  for (let index = 0; index < Math.max(steps.length, inKey.length); index++) {
    const [listed, made] = [steps[index], inKey[index]];
    const isSame = listed?.name === made?.name && listed?.hash === made?.hash;
    if (isSame && JSON.stringify(listed?.beacon) === JSON.stringify(made?.beacon)) continue;
    throw new InferiumError(
      "ContributionOutOfOrder",
      `Step ${index + 1} of the key is ${describe(made)}; the ceremony lists ${describe(listed)}. Two contributed to the same key, or a key was exchanged: take the folder again from whoever had it last.`,
    );
  }
}

/** No step follows a beacon: whoever came last would have chosen the key. @throws InferiumError CeremonyClosed */
export function checkOpen({ steps }: Ceremony): void {
  if (steps.at(-1)?.beacon === undefined) return;
  throw new InferiumError("CeremonyClosed", "The ceremony was closed by its beacon: verify and register it.");
}

/** What every contributor did, in one number: sha256 over the circuit, the first phase and all steps. */
export function digestTranscript(ceremony: Ceremony): Digest {
  const hash = createHash("sha256");
  const lines = [
    ["inferium/ceremony/v1", ceremony.r1csDigest, ceremony.powersOfTau.digest, ceremony.initialKeyDigest],
    ...ceremony.steps.map(({ name, hash: step, beacon, source, keyDigest }) => [
      name,
      step,
      beacon?.value ?? "",
      beacon?.iterationsExponent ?? "",
      source ?? "",
      keyDigest,
    ]),
  ];
  hash.update(JSON.stringify(lines));
  return `sha256:${hash.digest("hex")}`;
}

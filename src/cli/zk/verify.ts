/** `inferium zk verify`: checks every step of a ceremony, from the model on; with a chain, the beacon's block too. */
import { InferiumError } from "../../base/errors.ts";
import { digestCeremonyRecord, type VerifiedCeremony, verifyCeremony } from "../../zk/ceremony/verify-ceremony.ts";
import type { CeremonyRecord } from "../../zk/proving/circuit-record.ts";
import { digestVerifyingKey, verifyingKeyWords } from "../../zk/proving/groth16.ts";
import { parseBlockSource, readBlockHash } from "./block-beacon.ts";
import { type CircuitOptions, type OutputOptions, printResult, readCircuit, type ZkSession } from "./zk-session.ts";

export interface VerifyOptions extends CircuitOptions, OutputOptions {
  readonly dir: string;
  readonly rpcUrl?: string;
}

export async function runVerify(options: VerifyOptions, session: ZkSession): Promise<number> {
  const { circuit, powersOfTau } = await readCircuit(options);
  const verified = await verifyCeremony({ dir: options.dir, circuit, powersOfTau }, session);
  const blockChecked = await checkBlock(verified.record, options.rpcUrl);
  return printResult(session, options, {
    summary: `Every step of the ceremony in ${options.dir} is proven. Its record is ${digestCeremonyRecord(verified.record)}.`,
    details: describeCeremony(verified, blockChecked),
    fields: {
      dir: options.dir,
      subject: circuit.subject,
      r1csDigest: circuit.r1csDigest,
      keyDigest: verified.keyDigest,
      verifyingKeyDigest: digestVerifyingKey(verified.verifyingKey),
      // As contracts take them: ModelRegistry for a model, the constructor of TileVerifier for the tile.
      verifyingKeyWords: verifyingKeyWords(verified.verifyingKey).map(String),
      record: verified.record,
      ceremonyDigest: digestCeremonyRecord(verified.record),
      beaconBlockChecked: blockChecked,
    },
    isDevelopment: verified.record.isDevelopment,
  });
}

function describeCeremony({ record, verifyingKey }: VerifiedCeremony, blockChecked: boolean): string[] {
  const { contributors, contributionHashes = [], beacon } = record;
  const closing =
    beacon === undefined
      ? "No beacon: the ceremony is still open"
      : `Beacon: ${beacon.source}, ${beacon.value}${blockChecked ? ", looked up on the chain" : ""}`;
  return [
    `First phase: ${record.powersOfTauName}, ${record.powersOfTau}`,
    ...contributors.map((name, index) => `Contribution ${index + 1}: "${name}" ${contributionHashes[index]}`),
    closing,
    `Verifying key: ${digestVerifyingKey(verifyingKey)}`,
  ];
}

/** @throws InferiumError BeaconMismatch and those of readBlockHash */
async function checkBlock({ beacon }: CeremonyRecord, rpcUrl: string | undefined): Promise<boolean> {
  const source = beacon && parseBlockSource(beacon.source);
  if (beacon === undefined || source === undefined || rpcUrl === undefined) return false;
  const { chainId, hash } = await readBlockHash(rpcUrl, source.block, 0);
  if (chainId === source.chainId && hash === beacon.value) return true;
  throw new InferiumError(
    "BeaconMismatch",
    `Block ${source.block} of chain ${chainId} has the hash ${hash}; the beacon claims ${beacon.source} to be ${beacon.value}. Do not use this ceremony's keys.`,
  );
}

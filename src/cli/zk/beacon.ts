/** `inferium zk beacon`: closes a ceremony with a value that everybody can look up and nobody could foresee. */
import { InferiumError } from "../../base/errors.ts";
import { closeWithBeacon, planBeacon } from "../../zk/ceremony/run-ceremony.ts";
import { readBlockHash, writeBlockSource } from "./block-beacon.ts";
import { type OutputOptions, printResult, type ZkSession } from "./zk-session.ts";

export interface BeaconOptions extends OutputOptions {
  readonly dir: string;
  readonly value?: string;
  readonly source?: string;
  readonly rpcUrl?: string;
  readonly block?: number;
  readonly confirmations: number;
  readonly iterations: number;
}

export async function runBeacon(options: BeaconOptions, session: ZkSession): Promise<number> {
  const { dir, iterations: iterationsExponent } = options;
  const beacon = { dir, iterationsExponent, ...(await readBeacon(options)) };
  const { ceremony } = await planBeacon(beacon);
  const step = options.dryRun === true ? undefined : await closeWithBeacon(beacon, session);
  return printResult(session, options, {
    summary: `The ceremony in ${dir} is closed by ${beacon.source}. Next: inferium zk verify, by anybody.`,
    details: [
      `Beacon: ${beacon.value}, hashed 2^${iterationsExponent} times`,
      ...(step ? [`Key: ${step.keyDigest}`] : []),
    ],
    fields: {
      dir,
      beacon: { value: beacon.value, source: beacon.source, iterationsExponent },
      step: ceremony.steps.length + 1,
      ...(step ? { contributionHash: step.hash, keyDigest: step.keyDigest } : {}),
    },
    isDevelopment: ceremony.powersOfTau.isDevelopment,
  });
}

async function readBeacon(options: BeaconOptions): Promise<{ value: string; source: string }> {
  const { value, source, rpcUrl, block, confirmations } = options;
  if (rpcUrl !== undefined && block !== undefined && value === undefined) {
    const { chainId, hash } = await readBlockHash(rpcUrl, block, confirmations);
    return { value: hash, source: writeBlockSource({ block, chainId }) };
  }
  if (value !== undefined && source !== undefined && block === undefined) {
    return { value: value.replace(/^0x/, ""), source };
  }
  throw new InferiumError("InvalidOption", "A beacon is either --value with --source, or --rpc-url with --block.");
}

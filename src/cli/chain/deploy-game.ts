/**
 * What `inferium chain deploy --game-keys` does beside the other contracts: the dispute game with the tile's keys, once, and the check
 * that it stands as it must. Effects: transactions, the file of addresses through `save`.
 */
import { getAddress, type JsonRpcProvider, type Signer } from "ethers";
import { digestToBytes32 } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import type { ContractAddresses } from "../../chain/addresses.ts";
import { checkBounds, checkGameBounds } from "../../chain/deploy-bounds.ts";
import type { ResolvedParameters } from "../../chain/deploy-parameters.ts";
import {
  allowSlashing,
  deployGame,
  type GameAddresses,
  gameContractOf,
  type TileRegistration,
} from "../../chain/game-contracts.ts";
import { digestCeremonyRecord } from "../../zk/ceremony/verify-ceremony.ts";
import { ProofArtifactStore } from "../../zk/proving/artifact-store.ts";
import { verifyingKeyWords } from "../../zk/proving/groth16.ts";

const minedMs = 120_000;

export interface GamePlan {
  readonly signer: Signer;
  readonly addresses: ContractAddresses;
  readonly parameters: ResolvedParameters;
  /** Store in which `inferium zk register --tile` has kept the tile's keys. */
  readonly keysDir: string;
  /** Where the game stands already. */
  readonly known: GameAddresses | undefined;
  /** Keeps the addresses before anything else can fail. */
  readonly save: (addresses: GameAddresses) => Promise<void>;
}

/** @throws InferiumError InvalidParameters, NoTileKeys, DevelopmentSetup and those of deployGame */
export async function deployGameOnce(plan: GamePlan): Promise<GameAddresses> {
  const { signer, addresses, parameters, keysDir, known, save } = plan;
  const tile = await readTile(keysDir, parameters);
  const options = { signer, addresses, parameters, tile, timeoutMs: minedMs };
  const game = known ?? (await deployGame(options));
  if (known === undefined) await save(game);
  await allowSlashing(options, game);
  return game;
}

/** All that can be wrong before anything is sent. @throws InferiumError InvalidParameters, NoTileKeys, DevelopmentSetup */
export async function readTile(keysDir: string, parameters: ResolvedParameters): Promise<TileRegistration> {
  checkBounds(parameters);
  checkGameBounds(parameters);
  const keys = await new ProofArtifactStore(keysDir).readTileKeys();
  if (keys === undefined) {
    throw new InferiumError(
      "NoTileKeys",
      `${keysDir} holds no keys of the tile. Keep those of a ceremony there: inferium zk register --tile --store ${keysDir}.`,
    );
  }
  const { isDevelopment } = keys.ceremony;
  if (isDevelopment && !parameters.allowDevelopmentSetup) {
    throw new InferiumError(
      "DevelopmentSetup",
      "The tile's keys are for development and not secure: whoever made them may be able to win any dispute. Use those of a whole ceremony, or allow it for a trial: allowDevelopmentSetup in the parameters.",
    );
  }
  return {
    keyWords: verifyingKeyWords(keys.verifyingKey),
    r1csDigest: digestToBytes32(keys.r1csDigest),
    powersOfTau: digestToBytes32(keys.ceremony.powersOfTau),
    ceremonyDigest: digestToBytes32(digestCeremonyRecord(keys.ceremony)),
    isDevelopment,
  };
}

/** Of a file of addresses: undefined where it names no game. @throws where it names a part of it */
export function readGameAddresses(given: Readonly<Record<string, unknown>>): GameAddresses | undefined {
  const names = Object.keys(gameContractOf);
  if (names.every((name) => given[name] === undefined)) return undefined;
  return Object.fromEntries(names.map((name) => [name, getAddress(String(given[name]))])) as unknown as GameAddresses;
}

/** @throws InferiumError NotDeployed */
export async function requireStanding(provider: JsonRpcProvider, { inferenceGame }: GameAddresses): Promise<void> {
  if ((await provider.getCode(inferenceGame)) !== "0x") return;
  const message = `There is no contract at ${inferenceGame}, where InferenceGame should be: a wrong chain, or wrong addresses.`;
  throw new InferiumError("NotDeployed", message);
}

/** A block's hash as a beacon: read from a chain, deep enough to stay, and found again by whoever verifies. */
import { InferiumError } from "../../base/errors.ts";
import { openProvider } from "../../chain/provider.ts";
import { toChainError } from "../../chain/revert.ts";

const timeoutMs = 15_000;

/** @returns the hash in hex without 0x @throws InferiumError RpcUnavailable, RpcFailed, BlockNotDeep */
export async function readBlockHash(
  rpcUrl: string,
  block: number,
  confirmations: number,
): Promise<{ chainId: bigint; hash: string }> {
  const provider = await openProvider({ rpcUrl, timeoutMs });
  try {
    const head = await provider.getBlockNumber();
    if (head < block + confirmations) {
      throw new InferiumError(
        "BlockNotDeep",
        `The chain stands at block ${head}; block ${block} is to have ${confirmations} after it. Wait, or ask for fewer: --confirmations.`,
        { disposition: "retry" },
      );
    }
    const found = await provider.getBlock(block);
    const { chainId } = await provider.getNetwork();
    const hash = found?.hash;
    if (typeof hash === "string") return { chainId, hash: hash.slice(2) };
    throw new InferiumError("BlockNotDeep", `Chain ${chainId} gives no hash of block ${block}.`, {
      disposition: "retry",
    });
  } catch (error) {
    throw toChainError("Reading a block", error);
  } finally {
    provider.destroy();
  }
}

export interface BlockSource {
  readonly block: number;
  readonly chainId: bigint;
}

export function writeBlockSource({ block, chainId }: BlockSource): string {
  return `block ${block} of chain ${chainId}`;
}

/** Undefined where the source is no block. */
export function parseBlockSource(source: string): BlockSource | undefined {
  const [, block, chainId] = /^block (\d{1,15}) of chain (\d{1,20})$/.exec(source) ?? [];
  return block === undefined || chainId === undefined ? undefined : { block: Number(block), chainId: BigInt(chainId) };
}

/** `inferium chain status`: where the contracts stand. */
import { formatIfr } from "../../protocol/amount.ts";
import type { ChainSession } from "./chain-session.ts";

export async function runChainStatus({ client, io, options }: ChainSession): Promise<number> {
  const [block, last, finalHeader, epoch, pausedUntil] = await Promise.all([
    client.blockNumber(),
    client.lastBatch(),
    client.finalHeader(),
    client.epoch(),
    client.pausedUntil(),
  ]);
  const validators = await client.validators(epoch);
  const status = {
    chainId: client.chainId,
    block,
    lastBatch: last.sequence.toString(),
    lastHeader: last.headerHash,
    isLastFinal: last.headerHash === finalHeader,
    finalHeader,
    settledIfr: formatIfr(last.settledWei),
    epoch: epoch.toString(),
    validators,
    paused: pausedUntil * 1_000 > Date.now() ? new Date(pausedUntil * 1_000).toISOString() : undefined,
    contracts: client.addresses,
  };
  if (options.output === "json") {
    io.out(JSON.stringify(status));
    return 0;
  }
  io.out(`Chain ${status.chainId} at block ${status.block}${status.paused ? `, PAUSED until ${status.paused}` : ""}`);
  io.out(`Last batch ${status.lastBatch}, ${status.isLastFinal ? "final" : "not final yet"}: ${status.lastHeader}`);
  io.out(`Final header ${status.finalHeader}`);
  io.out(`Settled ${status.settledIfr} IFR`);
  io.out(`Epoch ${status.epoch} with ${validators.length} validators: ${validators.join(", ")}`);
  for (const [name, address] of Object.entries(client.addresses)) io.out(`${name.padEnd(14)}${address}`);
  return 0;
}

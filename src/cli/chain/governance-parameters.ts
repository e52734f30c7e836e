/** `inferium governance parameters` and `voters`: what can be voted on, and by whom. Read only. */
import { getAddress } from "ethers";
import { createReader } from "../../chain/client.ts";
import { createGovernanceReader } from "../../chain/governance-reader.ts";
import { readParameters } from "../../chain/governed-parameters.ts";
import { formatValue, toAddress } from "../../chain/parameter-value.ts";
import { formatIfr } from "../../protocol/amount.ts";
import { formatTable } from "../table.ts";
import type { ChainSession } from "./chain-session.ts";

export async function runParameters({ client, io, options }: ChainSession): Promise<number> {
  const reader = createGovernanceReader(client);
  const parameters = await readParameters(createReader(client.provider, client.addresses), client.addresses);
  const second = (await reader.now()) - 1;
  const [quorumWei, supplyWei, thresholdWei] = await Promise.all([
    reader.quorum(second),
    reader.supply(second),
    reader.threshold(),
  ]);
  if (options.output === "json") {
    const rows = parameters.map(({ name, unit, value, least, most, isGoverned }) => ({
      ...{ name, unit, value: unit === "address" ? toAddress(value) : value.toString() },
      ...{ least: least?.toString(), most: most?.toString(), isGoverned },
    }));
    const rules = { quorumWei, supplyWei, thresholdWei };
    io.out(JSON.stringify({ parameters: rows, rules: mapToText(rules) }));
    return 0;
  }
  const cells = parameters.map(({ name, unit, value, least, most, isGoverned }) => [
    ...[name, formatValue(unit, value), least === undefined ? "" : formatValue(unit, least)],
    ...[most === undefined ? "" : formatValue(unit, most), isGoverned ? "" : "not under the timelock"],
  ]);
  for (const line of formatTable(["PARAMETER", "VALUE", "LEAST", "MOST", ""], cells)) io.out(line);
  io.out(
    `A proposal takes ${formatIfr(thresholdWei)} votes; a vote counts with ${formatIfr(quorumWei)} for or abstaining, of a supply of ${formatIfr(supplyWei)} IFR.`,
  );
  return 0;
}

/** @param accounts none are the validators of the current epoch */
export async function runVoters(accounts: readonly string[], { client, io, options }: ChainSession): Promise<number> {
  const reader = createGovernanceReader(client);
  const second = (await reader.now()) - 1;
  const [supplyWei, quorumWei] = await Promise.all([reader.supply(second), reader.quorum(second)]);
  const voters = [];
  for (const account of await listVoters(accounts, client)) {
    const { tokensWei, stakesWei } = await reader.weight(account, second);
    voters.push({ account, tokensWei, stakesWei, votesWei: tokensWei + stakesWei });
  }
  if (options.output === "json") {
    io.out(JSON.stringify({ second, ...mapToText({ supplyWei, quorumWei }), voters: voters.map(mapToText) }));
    return 0;
  }
  const cells = voters.map(({ account, votesWei, tokensWei, stakesWei }) => [
    ...[account, formatIfr(votesWei), formatIfr(tokensWei), formatIfr(stakesWei), formatShare(votesWei, supplyWei)],
  ]);
  for (const line of formatTable(["ACCOUNT", "VOTES", "TOKENS", "STAKES", "OF SUPPLY"], cells)) io.out(line);
  io.out(`The quorum is ${formatIfr(quorumWei)} IFR, ${formatShare(quorumWei, supplyWei)} of the supply.`);
  return 0;
}

/** Whose bonds vote: the owners of the validators' nodes, each once. */
async function listVoters(accounts: readonly string[], client: ChainSession["client"]): Promise<string[]> {
  if (accounts.length > 0) return accounts.map((account) => getAddress(account));
  const nodes = await client.validators(await client.epoch());
  const records = await Promise.all(nodes.map((node) => client.node(node)));
  return [...new Set(records.map(({ owner }, index) => (/^0x0+$/.test(owner) ? (nodes[index] ?? owner) : owner)))];
}

function formatShare(part: bigint, whole: bigint): string {
  return whole === 0n ? "0 %" : `${Number((part * 10_000n) / whole) / 100} %`;
}

function mapToText(record: Readonly<Record<string, string | bigint>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, String(value)]));
}

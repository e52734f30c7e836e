/** `inferium dispute draw | rule | execute | veto | collect | status | list`: moving disputes on, and looking at them. */
import { getAddress } from "ethers";
import { InferiumError } from "../../base/errors.ts";
import { createDisputeReader, type DisputeReader } from "../../chain/dispute-reader.ts";
import { formatIfr } from "../../protocol/amount.ts";
import type { DisputeView } from "../../protocol/dispute.ts";
import { formatTable } from "../table.ts";
import { type ChainSession, printSteps, runSteps } from "./chain-session.ts";

export type MoveVerb = "draw" | "rule" | "execute" | "veto";

const done: Readonly<Record<MoveVerb, string>> = {
  draw: "The jury is drawn, or a new seed is taken where the old one was out of reach",
  rule: "The votes are counted",
  execute: "The ruling is carried out",
  veto: "The ruling is vetoed, and the bond goes back",
};

export async function runMove(verb: MoveVerb, id: string, session: ChainSession): Promise<number> {
  await find(createDisputeReader(session.client), id);
  const results = await runSteps(session, [{ contract: "disputes", call: verb, values: [id] }]);
  return printSteps(session, results, `${done[verb]}: ${id}.`, { dispute: id });
}

export async function runCollect(options: { readonly account?: string }, session: ChainSession): Promise<number> {
  const account = getAddress(options.account ?? (await (await session.signer()).getAddress()));
  const owedWei = await createDisputeReader(session.client).owedTo(account);
  if (owedWei === 0n)
    throw new InferiumError("NothingOwed", `No bond of a closed dispute is there for ${account} to collect.`);
  const results = await runSteps(session, [{ contract: "disputes", call: "collect", values: [account] }]);
  return printSteps(session, results, `${formatIfr(owedWei)} IFR of bonds go to ${account}.`);
}

export async function runStatus(id: string, session: ChainSession): Promise<number> {
  const { io, options } = session;
  const reader = createDisputeReader(session.client);
  const view = await find(reader, id);
  const [accused, jury] = await Promise.all([reader.accused(id), reader.jury(id)]);
  const status = { ...describe(id, view), accused, jury, seedBlock: view.seedBlock };
  if (options.output === "json") {
    io.out(JSON.stringify(status));
    return 0;
  }
  io.out(`Dispute ${id}: ${explain(view)}`);
  io.out(`challenger  ${view.challenger}, bond ${formatIfr(view.bondWei)} IFR`);
  io.out(`worker      ${view.worker}`);
  io.out(`accused     ${accused.join(", ")}`);
  io.out(`jury        ${jury.length === 0 ? "not drawn" : jury.join(", ")}`);
  io.out(`votes       ${view.overturn} wrong, ${view.uphold} right, of ${jury.length}`);
  return 0;
}

export async function runList(session: ChainSession): Promise<number> {
  const { io, options, client } = session;
  const reader = createDisputeReader(client);
  const rows = [];
  for (const { id, taskId, attempt, blockNumber } of await reader.list(options.fromBlock ?? 0))
    rows.push({ ...describe(id, await reader.dispute(id)), taskId, attempt, block: blockNumber });
  if (options.output === "json") {
    io.out(JSON.stringify(rows));
    return 0;
  }
  if (rows.length === 0) io.out("There are no disputes.");
  else {
    const cells = rows.map(({ dispute, taskId, state, ruling, worker, block }) => [
      ...[dispute, state, ruling, taskId, worker],
      String(block),
    ]);
    for (const line of formatTable(["DISPUTE", "STATE", "RULING", "TASK", "WORKER", "BLOCK"], cells)) io.out(line);
  }
  return 0;
}

async function find(reader: DisputeReader, id: string): Promise<DisputeView> {
  const view = await reader.dispute(id);
  if (view.state !== "None") return view;
  throw new InferiumError("DisputeUnknown", `The chain has no dispute ${id}; see inferium dispute list.`);
}

function describe(id: string, { bondWei, deadline, ...view }: DisputeView) {
  const { challenger, worker, state, ruling, overturn, uphold } = view;
  const until = deadline === 0 ? undefined : new Date(deadline * 1_000).toISOString();
  return { dispute: id, state, ruling, challenger, worker, overturn, uphold, bondWei: bondWei.toString(), until };
}

function explain({ state, ruling, deadline, seedBlock }: DisputeView): string {
  const until = new Date(deadline * 1_000).toISOString();
  if (state === "Drawing") return `waits for block ${seedBlock}, which draws the jury`;
  if (state === "Committing") return `the jury commits until ${until}, then reveals`;
  if (state === "Revealing") return `the jury reveals until ${until}`;
  if (state === "Ruled") return `ruled ${ruling}; executable after ${until}, unless the guardian vetoes it`;
  return `closed, ${ruling}`;
}

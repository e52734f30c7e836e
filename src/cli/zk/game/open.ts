/** `inferium zk game open`: computes the result again, and challenges the first row that is wrong. */
import { getAddress } from "ethers";
import { InferiumError } from "../../../base/errors.ts";
import { formatIfr } from "../../../protocol/amount.ts";
import { findWrongRow, outputData, readRows } from "../../../zk/game/check-receipt.ts";
import { type ResultOptions, readDisputed } from "./disputed-result.ts";
import {
  describeGame,
  type GameSession,
  openGameClient,
  requireGame,
  sendStep,
  tellGame,
  tellSent,
} from "./game-session.ts";

export interface OpenOptions extends ResultOptions {
  /** Challenge this row, whatever is wrong. */
  readonly row?: number;
}

/** @throws InferiumError NothingToChallenge, InvalidRow, InsufficientBond and those of readDisputed and of the contract */
export async function runOpen(options: OpenOptions, session: GameSession): Promise<number> {
  const result = await readDisputed(options);
  const row = chooseRow(options, result);
  const signer = await session.signer();
  const chain = openGameClient(session, signer);
  const bondWei = await chain.bond();
  const challenger = getAddress(await signer.getAddress());
  const held = await session.client.balanceOf(challenger);
  if (held < bondWei) {
    const message = `${challenger} holds ${formatIfr(held)} IFR; a game takes a bond of ${formatIfr(bondWei)}.`;
    throw new InferiumError("InsufficientBond", message);
  }
  const values = [session.game.inferenceGame, bondWei];
  await sendStep(session, { contract: "IFRToken", to: session.client.addresses.token, call: "approve", values });
  if (session.options.dryRun === true) {
    const facts = { row, bond: formatIfr(bondWei) };
    return tellSent(session, `Row ${row} would be challenged for a bond of ${facts.bond} IFR.`, facts);
  }
  const { receipt, workerSignature, rows, model, input, output } = result;
  const { data } = readRows(model, input);
  const id = await chain.open({ receipt, workerSignature, row, rows, input: data, outputs: outputData(output) });
  const state = await requireGame(chain, id);
  return tellGame(session, id, describeGame(state, await chain.now()), { bond: formatIfr(bondWei) });
}

type Result = Awaited<ReturnType<typeof readDisputed>>;

function chooseRow({ row }: OpenOptions, { model, input, output, rows }: Result): number {
  if (row !== undefined && row < rows) return row;
  if (row !== undefined)
    throw new InferiumError("InvalidRow", `Row ${row} was named; the input has ${rows}, from 0 on.`);
  const wrong = findWrongRow(model, input, output);
  if (wrong !== undefined) return wrong.row;
  throw new InferiumError(
    "NothingToChallenge",
    `The result is right in all ${rows} rows: whoever challenges it loses the bond. To do so all the same, name a row with --row.`,
  );
}

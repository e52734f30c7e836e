/** `inferium zk game collect`: pays out what closed games owe to an account. Anybody may pay the gas. */
import { getAddress, isAddress } from "ethers";
import { InferiumError } from "../../../base/errors.ts";
import { type GameSession, sendStep, tellSent } from "./game-session.ts";

export interface CollectOptions {
  readonly account?: string;
}

export async function runCollect({ account: given }: CollectOptions, session: GameSession): Promise<number> {
  if (given !== undefined && !isAddress(given)) {
    throw new InferiumError("InvalidOption", `--account is "${given}"; expected an address.`);
  }
  const account = getAddress(given ?? (await (await session.signer()).getAddress()));
  const step = {
    contract: "InferenceGame",
    to: session.game.inferenceGame,
    call: "collect",
    values: [account],
  } as const;
  const sent = await sendStep(session, step);
  return tellSent(session, `What closed games owed to ${account} is paid (${sent.gas} gas).`, { account, ...sent });
}

/** `inferium zk game status`: one game, or all against a worker. */
import { getAddress, isAddress } from "ethers";
import { InferiumError } from "../../../base/errors.ts";
import { describeGame, type GameSession, requireGame, tellGame, watchGame } from "./game-session.ts";

export interface StatusOptions {
  readonly worker?: string;
}

export async function runStatus(
  id: string | undefined,
  { worker }: StatusOptions,
  session: GameSession,
): Promise<number> {
  const chain = watchGame(session);
  if ((id === undefined) === (worker === undefined)) {
    throw new InferiumError("InvalidOption", "Give either a game or --worker ADDRESS.");
  }
  const now = await chain.now();
  if (id !== undefined) return tellGame(session, id, describeGame(await requireGame(chain, id), now));
  if (!isAddress(worker)) throw new InferiumError("InvalidOption", `--worker is "${worker}"; expected an address.`);
  const found = await chain.gamesAgainst(getAddress(worker), session.options.fromBlock ?? 0);
  const games = await Promise.all(
    found.map(async ({ id: game }) => ({ game, ...describeGame(await chain.game(game), now) })),
  );
  const { io, options } = session;
  if (options.output === "json") io.out(JSON.stringify({ worker, games }));
  else if (games.length === 0) io.out(`No game was ever opened against ${worker}.`);
  else for (const { game, ...told } of games) tellGame(session, game, told);
  return 0;
}

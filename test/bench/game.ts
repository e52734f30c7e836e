/**
 * What a dispute costs: gas of each move in the longest game over 784-512-10, of registering the model and of the contracts, and the
 * time of commitments and of a tile's proof. The worker is honest; the challenger denies to the end. On anvil, prague rules; the tile's key
 * comes from the development powers of tau.
 */
import { performance } from "node:perf_hooks";
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/log.ts";
import { outputData, readRows } from "../../src/zk/game/check-receipt.ts";
import { playChallenger, playDefender } from "../../src/zk/game/play-game.ts";
import { aGameCase } from "../support/game-case.ts";
import { startGame } from "../support/game-chain.ts";
import { LyingTrace } from "../support/lying-trace.ts";
import { roundTo3 } from "./take-turns.ts";

const sizes = [784, 512, 10];

export async function benchGame() {
  const fixture = await startGame();
  try {
    const begun = performance.now();
    const { model, input, output, bytes, rows } = aGameCase({ sizes, seed: 4, rows: 1 });
    const commitSeconds = roundTo3((performance.now() - begun) / 1000);
    const registerGas = Number(await fixture.register(model));
    const { receipt, workerSignature } = await fixture.sign(model, input, output);
    const [defender, challenger] = [fixture.defender(), fixture.challenger()];
    const outputs = outputData(output);
    const id = await challenger.open({ receipt, workerSignature, row: 0, rows, input: bytes, outputs });
    const trace = readRows(model, input).traceOf(0);
    const liar = new LyingTrace(model, bytes, { layer: 1, block: 16, tile: 25 });
    let proveSeconds = 0;
    const proveTile: typeof fixture.proveTile = async (...task) => {
      const start = performance.now();
      const evidence = await fixture.proveTile(...task);
      proveSeconds = roundTo3((performance.now() - start) / 1000);
      return evidence;
    };
    const common = { id, clock: systemClock, logger: silentLogger, pollMs: 10 };
    const [end] = await Promise.all([
      playDefender({ ...common, chain: defender, trace, outputs, proveTile }),
      playChallenger({ ...common, chain: challenger, trace: liar }),
    ]);
    return {
      model: sizes.join("-"),
      tileConstraints: fixture.constraintCount,
      commitSeconds,
      proveSeconds,
      registerGas,
      outcome: end.outcome,
      defenderMoves: defender.mined.map(({ kind, gas }) => [kind, Number(gas)]),
      challengerMoves: challenger.mined.map(({ kind, gas }) => [kind, Number(gas)]),
      defenderGas: sum(defender.mined),
      challengerGas: sum(challenger.mined),
    };
  } finally {
    await fixture.stop();
  }
}

function sum(mined: readonly { readonly gas: bigint }[]): number {
  return Number(mined.reduce((total, { gas }) => total + gas, 0n));
}

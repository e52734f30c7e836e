/**
 * Both players' programs against the contracts on a local chain. Whoever lies loses, wherever the lie is; whoever is silent loses; and a
 * player that was stopped goes on.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import type { InferiumError } from "../../../src/base/errors.ts";
import { silentLogger } from "../../../src/base/log.ts";
import type { InferenceGameClient } from "../../../src/chain/inference-game.ts";
import { createTensor, type NamedTensors } from "../../../src/protocol/tensors/tensor.ts";
import { findWrongRow, outputData, readRows } from "../../../src/zk/game/check-receipt.ts";
import { type GameModel, readGameModel } from "../../../src/zk/game/game-model.ts";
import { InferenceTrace } from "../../../src/zk/game/inference-trace.ts";
import { playChallenger, playDefender } from "../../../src/zk/game/play-game.ts";
import { buildEvidence, type ProveTile } from "../../../src/zk/game/prove-tile.ts";
import { aGameCase, outputsFrom, outputsOf } from "../../support/game-case.ts";
import { type GameFixture, startGame } from "../../support/game-chain.ts";
import { buildImageModel, buildIntegerModel, drawBytes } from "../../support/integer-model.ts";
import { type Lie, LyingTrace } from "../../support/lying-trace.ts";
import { hasPowersOfTau } from "../../support/powers-of-tau.ts";

const sizes = [70, 64, 40, 3];
const row = 1;
const { model, input, output, bytes, rows } = aGameCase({ sizes, seed: 4, rows: 2 });
const honest = readRows(model, input).traceOf(row);
const rowBytes = bytes.subarray(row * 70, (row + 1) * 70);

let fixture: GameFixture;

/** What the worker signs whose second row is this trace's. */
function outputOf(trace: InferenceTrace): NamedTensors {
  return outputsFrom([readRows(model, input).traceOf(0).logits(), trace.logits()]);
}

interface OpenGame {
  readonly id: string;
  readonly outputs: readonly Uint8Array[];
  readonly defender: InferenceGameClient;
  readonly challenger: InferenceGameClient;
}

/** What a game is about. */
interface Work {
  readonly model: GameModel;
  readonly input: NamedTensors;
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly row: number;
}

async function open(signed: NamedTensors, work: Work = { model, input, bytes, rows, row }): Promise<OpenGame> {
  const { receipt, workerSignature } = await fixture.sign(work.model, work.input, signed);
  const [defender, challenger] = [fixture.defender(), fixture.challenger()];
  const outputs = outputData(signed);
  const opening = { receipt, workerSignature, row: work.row, rows: work.rows, input: work.bytes, outputs };
  return { id: await challenger.open(opening), outputs, defender, challenger };
}

/** Where the game stands, as the lie that leads there. */
async function placeOf({ id, challenger }: OpenGame): Promise<Lie> {
  const { high, index, sumLow } = await challenger.game(id);
  return { layer: high, block: index, tile: sumLow };
}

const common = { clock: systemClock, logger: silentLogger, pollMs: 50 };

interface Defence {
  readonly signal?: AbortSignal;
  readonly proveTile?: ProveTile;
}

function defend({ id, outputs, defender }: OpenGame, trace: InferenceTrace, defence: Defence = {}) {
  return playDefender({ id, chain: defender, trace, outputs, proveTile: fixture.proveTile, ...common, ...defence });
}

/** Of a liar whose evidence is refused before its proof is looked at. */
const proveNothing: ProveTile = async (task, trace) => ({
  ...buildEvidence(task, trace),
  proof: new Array(8).fill(0n),
});

function challenge({ id, challenger }: OpenGame, trace: InferenceTrace, signal = new AbortController().signal) {
  return playChallenger({ id, chain: challenger, trace, signal, ...common });
}

/** The liar plays until the contract takes no move of it any more, and then time runs out. @returns why it was refused */
async function letLiarDefend(
  game: OpenGame,
  liar: InferenceTrace,
  proveTile = proveNothing,
  challenger = honest,
): Promise<string> {
  const challenging = challenge(game, challenger);
  const refusal = await defend(game, liar, { proveTile }).then(
    () => undefined,
    (error: InferiumError) => error,
  );
  expect(refusal?.code).toBe("CannotMove");
  await fixture.warp();
  expect(await challenging).toMatchObject({ stage: "Closed", outcome: "Refuted" });
  return String((refusal?.cause as InferiumError | undefined)?.evidence.revert);
}

describe.skipIf(!hasPowersOfTau)("the dispute game", () => {
  beforeAll(async () => {
    fixture = await startGame();
    await fixture.register(model);
  }, 120_000);
  afterAll(() => fixture?.stop());

  test("nobody finds anything to challenge in an honest receipt", () => {
    expect(findWrongRow(model, input, output)).toBeUndefined();
    expect(
      findWrongRow(model, input, outputOf(new LyingTrace(model, rowBytes, { layer: 1, block: 0, tile: 0 })))?.row,
    ).toBe(1);
  });

  describe("about a small model", () => {
    // 40 -> 40 -> 40 -> 3: two tiles and two blocks, the same again, two tiles and one block.
    const small = aGameCase({ sizes: [40, 40, 40, 3], seed: 6, rows: 1 });
    const work: Work = { ...small, row: 0 };
    const truth = readRows(small.model, small.input).traceOf(0);
    const places = small.model.layers.flatMap(({ blocks, tiles }, index) =>
      Array.from({ length: blocks * tiles }, (_, place): Lie => {
        return { layer: index + 1, block: Math.floor(place / tiles), tile: place % tiles };
      }),
    );
    beforeAll(async () => {
      expect(places).toHaveLength(4 + 4 + 2);
      await fixture.register(small.model);
    });

    test("a worker that lies is refuted, at each place that there is", async () => {
      for (const lie of places) {
        const liar = new LyingTrace(small.model, small.bytes, lie);
        const game = await open(outputsFrom([liar.logits()]), work);
        expect([lie, await letLiarDefend(game, liar, proveNothing, truth)]).toEqual([lie, "SumsMismatch"]);
        expect(await placeOf(game)).toEqual(lie);
      }
    }, 240_000);

    test("a challenger that lies is led to its lie, at each place, where honest evidence lacks nothing but the proof", async () => {
      for (const lie of places) {
        const game = await open(small.output, work);
        const stop = new AbortController();
        const challenging = challenge(game, new LyingTrace(small.model, small.bytes, lie), stop.signal);
        const refusal = await defend(game, truth, { proveTile: proveNothing }).catch((error: InferiumError) => error);
        const { revert } = ((refusal as InferiumError).cause as InferiumError).evidence;
        expect([lie, revert, await placeOf(game)]).toEqual([lie, "InvalidTileProof", lie]);
        stop.abort();
        await challenging.catch(() => undefined);
      }
    }, 240_000);
  });

  // 70 -> 64 -> 40 -> 3: three tiles and three blocks, three tiles and two blocks, two tiles and one block.
  test.each<Lie>([
    { layer: 1, block: 2, tile: 2 },
    { layer: 2, block: 1, tile: 0 },
  ])("a worker that lies in layer $layer, block $block, tile $tile is refuted", async (lie) => {
    const liar = new LyingTrace(model, rowBytes, lie);
    const game = await open(outputOf(liar));
    expect(await letLiarDefend(game, liar)).toBe("SumsMismatch");
    expect(await placeOf(game)).toEqual(lie);
  });

  // In layer 2 the players that are stopped, below.
  test.each<Lie>([
    { layer: 1, block: 2, tile: 1 },
    { layer: 3, block: 0, tile: 0 },
  ])("a challenger that lies in layer $layer, block $block, tile $tile loses its bond to a proof", async (lie) => {
    const game = await open(output);
    const [end] = await Promise.all([defend(game, honest), challenge(game, new LyingTrace(model, rowBytes, lie))]);
    expect(end).toMatchObject({ outcome: "Upheld", high: lie.layer, index: lie.block, sumLow: lie.tile });
  });

  test("a model with windows and maxima is disputed by the matrices that they are", async () => {
    const steps = [
      { kind: "convolution", filters: 2, size: [3, 3] },
      { kind: "maxPool", size: [2, 2] },
    ] as const;
    const outputs = ["label", "logits", "score"] as const;
    const windows = readGameModel(buildImageModel({ image: [1, 8, 8], steps, sizes: [3], seed: 3, outputs }));
    const pixels = drawBytes(64, 9);
    const image: NamedTensors = new Map([["bytes", createTensor("uint8", [1, 64], pixels)]]);
    const truth = readRows(windows, image).traceOf(0);
    await fixture.register(windows);
    const work: Work = { model: windows, input: image, bytes: pixels, rows: 1, row: 0 };
    // 64 -> 72 -> 72 -> 36 -> 36 -> 18 -> 3: the window's sums, differences and maxima twice, the logits.
    expect(windows.layers.map(({ outputs: size }) => size)).toEqual([72, 72, 36, 36, 18, 3]);
    const inMaxima = { layer: 3, block: 1, tile: 2 };
    const game = await open(outputsOf(windows, image, 1), work);
    const challenger = new LyingTrace(windows, pixels, inMaxima);
    const [end] = await Promise.all([defend(game, truth), challenge(game, challenger)]);
    expect(end).toMatchObject({ outcome: "Upheld", high: 3, index: 1, sumLow: 2 });
    const liar = new LyingTrace(windows, pixels, { layer: 1, block: 0, tile: 1 });
    expect(liar.logits()).not.toEqual(truth.logits());
    const lost = await open(outputsFrom([liar.logits()]), work);
    expect(await letLiarDefend(lost, liar, proveNothing, truth)).toBe("SumsMismatch");
    expect(await placeOf(lost)).toEqual({ layer: 1, block: 0, tile: 1 });
  }, 240_000);

  test("a worker that computed with other weights is refuted", async () => {
    const other = readGameModel(buildIntegerModel({ sizes, seed: 5, outputs: ["label", "logits", "score"] }));
    const liar = new InferenceTrace(other, rowBytes);
    expect(await letLiarDefend(await open(outputOf(liar)), liar)).toMatch(/Bias|WrongProof/);
    const sameBias = {
      ...model,
      layers: model.layers.map((layer, index) => ({ ...layer, weightsOf: other.layers[index]!.weightsOf })),
    };
    const hidden = new InferenceTrace(sameBias, rowBytes);
    expect(await letLiarDefend(await open(outputOf(hidden)), hidden, fixture.proveTile)).toBe("InvalidTileProof");
  });

  test("a worker that computed on another input is refuted", async () => {
    const liar = new InferenceTrace(model, drawBytes(70, 99));
    expect(await letLiarDefend(await open(outputOf(liar)), liar)).toBe("BlockMismatch");
  });

  test("a worker whose logits are not those of its receipt is refuted", async () => {
    const liar = new LyingTrace(model, rowBytes, { layer: 3, block: 0, tile: 0 });
    expect(await letLiarDefend(await open(outputOf(liar)), honest)).toBe("LogitsMismatch");
  });

  test("a challenger that shows another input or output opens nothing", async () => {
    const { receipt, workerSignature } = await fixture.sign(model, input, output);
    const opening = { receipt, workerSignature, row, rows, input: bytes, outputs: outputData(output) };
    const challenger = fixture.challenger();
    const other = { ...opening, input: drawBytes(140, 1) };
    await expect(challenger.open(other)).rejects.toMatchObject({ evidence: { revert: "InputMismatch" } });
    const changed = { ...opening, outputs: outputData(outputOf(new InferenceTrace(model, drawBytes(70, 99)))) };
    await expect(challenger.open(changed)).rejects.toMatchObject({ evidence: { revert: "OutputMismatch" } });
  });

  test("a worker finds the games against it on the chain, and nobody else's", async () => {
    const { id, defender } = await open(output);
    const found = await defender.gamesAgainst(fixture.worker.address, 0);
    expect(found.at(-1)).toEqual({ id, receiptDigest: (await defender.game(id)).receiptDigest });
    expect(await defender.gamesAgainst(fixture.chain.requester.address, 0)).toEqual([]);
  });

  test("whoever is silent loses", async () => {
    const liar = new LyingTrace(model, rowBytes, { layer: 2, block: 0, tile: 0 });
    const deserted = await open(outputOf(liar));
    const challenging = challenge(deserted, honest);
    await fixture.warp();
    expect(await challenging).toMatchObject({ outcome: "Refuted" });
    const abandoned = await open(output);
    const defending = defend(abandoned, honest);
    while (!(await abandoned.defender.game(abandoned.id)).isChallengersTurn) await systemClock.sleep(5);
    await fixture.warp();
    expect(await defending).toMatchObject({ outcome: "Upheld" });
  });

  test("players that are stopped after every move go on where the chain stands", async () => {
    const game = await open(output);
    const challengers = new LyingTrace(model, rowBytes, { layer: 2, block: 1, tile: 1 });
    for (let moves = 0; moves < 40; moves++) {
      const state = await game.defender.game(game.id);
      if (state.stage === "Closed") break;
      const stop = new AbortController();
      const playing = state.isChallengersTurn
        ? challenge(game, challengers, stop.signal)
        : defend(game, honest, { signal: stop.signal });
      const mined = game.defender.mined.length + game.challenger.mined.length;
      const hasMoved = () => game.defender.mined.length + game.challenger.mined.length > mined;
      while (!hasMoved()) await systemClock.sleep(2);
      stop.abort();
      await playing.catch(() => undefined);
    }
    expect(await game.defender.game(game.id)).toMatchObject({ outcome: "Upheld", high: 2, index: 1, sumLow: 1 });
  });
});

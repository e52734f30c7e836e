/**
 * A player that lies at one place, and whose every further statement follows from that lie: the strongest liar there is, since each of its
 * statements but one is true of what it said before.
 */
import type { GameModel } from "../../src/zk/game/game-model.ts";
import { InferenceTrace } from "../../src/zk/game/inference-trace.ts";

export interface Lie {
  readonly layer: number;
  readonly block: number;
  /** The first tile whose product is not what it says. */
  readonly tile: number;
}

/** Enough to change a byte after any scaling. */
const amount = 1 << 22;

export class LyingTrace extends InferenceTrace {
  readonly #lie: Lie;

  constructor(model: GameModel, input: Uint8Array, lie: Lie) {
    super(model, input);
    this.#lie = lie;
  }

  override sumsAfter(layer: number, block: number, tiles: number): Int32Array {
    const sums = super.sumsAfter(layer, block, tiles);
    const isLie = layer === this.#lie.layer && block === this.#lie.block && tiles > this.#lie.tile;
    return isLie ? sums.map((sum, lane) => (lane < 3 ? (sum > 0 ? sum - amount : sum + amount) : sum)) : sums;
  }
}

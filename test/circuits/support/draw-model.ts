/** Small random networks, dense and convolutional, with every layer that a circuit has. */
import { createRandom } from "../../../src/inference/training/exact-math.ts";
import type { OutputKind } from "../../../src/zk/network/integer-network.ts";
import { buildImageModel, buildIntegerModel, type ImageStep } from "../../support/integer-model.ts";

export type ModelKind = "dense" | "convolutional";

/** The same model from the same seed. */
export function drawModel(kind: ModelKind, seed: number): Uint8Array {
  const random = createRandom(seed);
  const pick = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const kinds: readonly OutputKind[][] = [["label"], ["label", "score"], ["logits"], ["label", "logits", "score"]];
  const outputs = kinds[pick(0, 3)] ?? [];
  if (kind === "dense") {
    const sizes = [pick(1, 40), ...Array.from({ length: pick(0, 2) }, () => pick(1, 12)), pick(2, 5)];
    return buildIntegerModel({ sizes, seed, outputs, maxWeight: pick(1, 64) });
  }
  const image = [pick(1, 3), pick(6, 9), pick(6, 9)] as const;
  const steps = drawSteps(pick, image);
  return buildImageModel({ image, steps, sizes: [pick(2, 4)], seed, outputs, isRectified: pick(0, 3) === 0 });
}

function drawSteps(pick: (low: number, high: number) => number, [channels, ...sides]: readonly number[]): ImageStep[] {
  const steps: ImageStep[] = [];
  let [groups, height, width] = [channels ?? 1, ...sides];
  for (let count = pick(1, 3); count > 0 && (height ?? 0) >= 3 && (width ?? 0) >= 3; count--) {
    const size = [pick(1, 3), pick(1, 3)] as const;
    const choice = pick(0, 3);
    if (choice <= 1) {
      const share = pick(0, 1) === 0 ? 1 : groups;
      const filters = share * pick(1, 2);
      const strides = [pick(1, 2), pick(1, 2)] as const;
      const pads = [pick(0, size[0] - 1), pick(0, size[1] - 1), pick(0, size[0] - 1), pick(0, size[1] - 1)] as const;
      steps.push({ kind: "convolution", filters, size, strides, pads, groups: share });
      height = Math.floor(((height ?? 0) + pads[0] + pads[2] - size[0]) / strides[0]) + 1;
      width = Math.floor(((width ?? 0) + pads[1] + pads[3] - size[1]) / strides[1]) + 1;
      groups = filters;
    } else {
      const pool = [pick(1, 2), 2] as const;
      const strides = pick(0, 1) === 0 ? pool : ([1, 1] as const);
      steps.push({ kind: choice === 2 ? "maxPool" : "averagePool", size: pool, strides });
      height = Math.floor(((height ?? 0) - pool[0]) / strides[0]) + 1;
      width = Math.floor(((width ?? 0) - pool[1]) / strides[1]) + 1;
    }
  }
  return steps;
}

import { describe, expect, it } from "vitest";
import { findSpeech } from "../../../../../src/embedded/demo/data/speech-segments.ts";

/** One digit for each tenth of probability, one window for each tenth of a second. */
function segments(digits: string, options = {}) {
  const probabilities = [...digits].map((digit) => Number(digit) / 10);
  return findSpeech(probabilities, {
    windowSeconds: 0.1,
    minSpeechSeconds: 0.2,
    minSilenceSeconds: 0.15,
    ...options,
  }).map(({ startSeconds, endSeconds }) => [Math.round(startSeconds * 10), Math.round(endSeconds * 10)]);
}

describe("finding speech", () => {
  it.each([
    { name: "silence has none", digits: "0000", want: [] },
    { name: "no windows have none", digits: "", want: [] },
    { name: "one stretch is one segment", digits: "0099900", want: [[2, 5]] },
    { name: "speech may last from the first window to the last", digits: "9999", want: [[0, 4]] },
    { name: "speech begins at the onset", digits: "0455000", want: [[2, 4]] },
    { name: "speech goes on below the onset down to the offset", digits: "0994499", want: [[1, 7]] },
    { name: "speech ends below the offset", digits: "0993300", want: [[1, 3]] },
    { name: "a silence of one window belongs to the speech around it", digits: "9909900", want: [[0, 5]] },
    {
      name: "a silence of two windows parts two segments",
      digits: "99009900",
      want: [
        [0, 2],
        [4, 6],
      ],
    },
    { name: "a click is not speech", digits: "0090000", want: [] },
    { name: "clicks close together are joined before they are judged", digits: "0090900", want: [[2, 5]] },
  ])("$name", ({ digits, want }) => {
    expect(segments(digits)).toEqual(want);
  });

  it("uses the thresholds it is given", () => {
    expect(segments("0333000", { onset: 0.3, offset: 0.2 })).toEqual([[1, 4]]);
  });
});

import { describe, expect, it } from "vitest";
import { checkFeeds } from "../../../src/inference/feeds.ts";
import { tensorFrom } from "../../../src/protocol/tensors/elements.ts";

const wanted = [
  { name: "pixels", isTensor: true, type: "uint8", shape: ["N", 2] },
  { name: "rate", isTensor: true, type: "int64", shape: [] },
] as const;
const pixels = tensorFrom("uint8", [3, 2], [1, 2, 3, 4, 5, 6]);
const rate = tensorFrom("int64", [], [16000]);

describe("checking a task's input against the model", () => {
  it("accepts any size on a named axis", () => {
    expect(() =>
      checkFeeds(
        new Map([
          ["pixels", pixels],
          ["rate", rate],
        ]),
        wanted,
      ),
    ).not.toThrow();
  });

  it.each([
    { what: "a missing input", tensors: { pixels }, want: /needs an input "rate"; given: pixels/ },
    { what: "no input at all", tensors: {}, want: /given: none/ },
    {
      what: "an input too many",
      tensors: { pixels, rate, mask: rate },
      want: /no input "mask"; its inputs: pixels, rate/,
    },
    {
      what: "another dtype",
      tensors: { pixels: tensorFrom("int8", [1, 2], [1, 2]), rate },
      want: /is int8\[1,2\]; the model needs uint8\[any,2\]/,
    },
    {
      what: "another size",
      tensors: { pixels: tensorFrom("uint8", [1, 3], [1, 2, 3]), rate },
      want: /is uint8\[1,3\]/,
    },
    { what: "another rank", tensors: { pixels: tensorFrom("uint8", [2], [1, 2]), rate }, want: /is uint8\[2\]/ },
  ])("refuses $what", ({ tensors, want }) => {
    expect(() => checkFeeds(new Map(Object.entries(tensors)), wanted)).toThrow(
      expect.objectContaining({ code: "InputMismatch", message: expect.stringMatching(want) }),
    );
  });
});

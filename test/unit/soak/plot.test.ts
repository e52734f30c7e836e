import { XMLParser, XMLValidator } from "fast-xml-parser";
import { expect, it } from "vitest";
import { plotSvg } from "../../soak/plot.ts";

it("draws each line of each panel with a point for each sample, and a tick for each cut", () => {
  const svg = plotSvg({
    title: "a < b & c",
    seconds: [0, 5, 10],
    cutSeconds: [2, 7],
    panels: [
      { title: "Memory", unit: "MiB", lines: [{ name: "one", values: [1, 2, 4] }] },
      { title: "Nothing", unit: "count", lines: [{ name: "none", values: [0, 0, 0] }] },
    ],
  });
  expect(XMLValidator.validate(svg)).toBe(true);
  const { svg: root } = new XMLParser({ ignoreAttributes: false }).parse(svg);
  const points = root.polyline.map((line: { "@_points": string }) => line["@_points"].split(" "));
  // The largest value is at most the panel's height, the end of the run at its right edge.
  expect(points).toEqual([
    ["70,150", "380,128", "690,84"],
    ["70,342", "380,342", "690,342"],
  ]);
  expect(root.path.filter((path: { "@_stroke": string }) => path["@_stroke"] === "#999")).toHaveLength(2);
});

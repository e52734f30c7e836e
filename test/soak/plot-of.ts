/** The plot of a soak: which figures are drawn in which panel. Pure. */
import type { Plot } from "./plot.ts";
import { processNames, type SoakRun } from "./soak.ts";

export function plotOf({ samples, cutSeconds }: SoakRun, title: string): Plot {
  const linesOf = (figure: "rssMiB" | "heapMiB" | "descriptors" | "resources") =>
    processNames.map((name) => ({ name, values: samples.map(({ processes }) => processes[name][figure]) }));
  return {
    title,
    seconds: samples.map(({ seconds }) => seconds),
    cutSeconds,
    panels: [
      { title: "Resident memory", unit: "MiB", lines: linesOf("rssMiB") },
      { title: "Heap after a collection", unit: "MiB", lines: linesOf("heapMiB") },
      { title: "Open descriptors", unit: "count", lines: linesOf("descriptors") },
      { title: "Active handles and timers", unit: "count", lines: linesOf("resources") },
      {
        title: "Missed events, tasks in flight",
        unit: "count",
        lines: [
          { name: "missed", values: samples.map(({ missed }) => missed) },
          { name: "tasks", values: samples.map(({ openTasks }) => openTasks) },
        ],
      },
      {
        title: "Slowest event",
        unit: "ms",
        lines: [{ name: "event", values: samples.map(({ slowestEventMs }) => slowestEventMs) }],
      },
    ],
  };
}

/** Progress as lines of text for a terminal. Pure. */
import { formatIfr } from "../../protocol/amount.ts";
import type { Progress, WorkerProgress } from "./progress.ts";

const phases = ["Pending", "Queued", "Assigned", "Validating", "Settling", "Succeeded", "Failed", "Rejected"];

export function renderProgress(progress: Progress, seconds: number): string[] {
  const counts = phases.flatMap((phase) => (progress.byPhase[phase] ? [`${phase} ${progress.byPhase[phase]}`] : []));
  return [
    `${seconds.toFixed(0).padStart(4)} s  tasks ${progress.settled}/${progress.submitted} settled in ${progress.batches} batches, ${progress.inferences} inferences   (${counts.join(", ")})`,
    "",
    ...renderTable(
      ["NAME", "ROLE", "TIER", "HARDWARE", "STATE", "ACCEPTED", "REJECTED", "CREDITED IFR", "SLASHED IFR"],
      progress.nodes.map(nodeRow),
    ),
  ];
}

function nodeRow(node: WorkerProgress): string[] {
  const { name, role, tier, hardware, state } = node;
  const isWorker = role !== "Validator";
  return [
    name,
    role,
    isWorker ? tier : "-",
    isWorker ? hardware : "-",
    state,
    isWorker ? String(node.completed) : "-",
    isWorker ? String(node.rejected) : "-",
    formatIfr(node.creditedWei),
    node.slashedWei === 0n ? "-" : formatIfr(node.slashedWei),
  ];
}

/** Columns as wide as their widest cell, two spaces apart. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [header, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

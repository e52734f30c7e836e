/** Tells the operator how busy each agent is, in step with a heartbeat: what autoscaling goes by. Never rejects. */
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { LoadSink } from "../pool/agents.ts";
import type { AgentTable } from "./agent-table.ts";

export interface ReportLoads {
  readonly agents: AgentTable;
  readonly loads: LoadSink;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly intervalMs: number;
}

export async function reportLoads(options: ReportLoads, signal: AbortSignal): Promise<void> {
  const { agents, loads, clock, logger, intervalMs } = options;
  while (!signal.aborted) {
    try {
      await clock.sleep(intervalMs, signal);
      const reports = [...agents.all()].map((agent) => agent.report());
      // Also without agents: it is the gateway's sign of life.
      await loads.report(reports);
    } catch (error) {
      if (!signal.aborted) logger.warn("loads are not reported", { error: describeError(error) });
    }
  }
}

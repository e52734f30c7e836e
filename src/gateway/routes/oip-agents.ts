/** Agents as models of the Open Inference Protocol: each call metered, and answered with its receipt. */
import type { IncomingMessage } from "node:http";
import type { NamedTensors } from "../../protocol/tensors/tensor.ts";
import type { Agent } from "../agent.ts";
import type { AgentTable } from "../agent-table.ts";
import { onlyVersion } from "../backends/local-oip.ts";
import { CallRefusal, toRefusal } from "../call-refusal.ts";
import { type CallMeter, type MeteredCall, receiptHeaders } from "../meter/call-meter.ts";
import { refuseKey } from "../meter/caller-book.ts";
import { describeTensors } from "../meter/contents.ts";
import { addressOf, findAgent, readKey } from "./find-agent.ts";
import type { OipCall, OipModel, OipService } from "./oip-routes.ts";
import { withTimeout } from "./with-timeout.ts";

export interface OipAgentsOptions {
  readonly agents: AgentTable;
  readonly meter: CallMeter;
  readonly isReady: () => boolean;
}

export function createOipAgents({ agents, meter, isReady }: OipAgentsOptions): OipService {
  return {
    isReady,
    find(name, version, request) {
      const agent = findAgent(agents, "oip", name, request);
      if (version !== undefined && version !== onlyVersion) {
        throw new CallRefusal(
          404,
          "UnknownModel",
          `There is no version "${version}" of the model "${name}", only "${onlyVersion}".`,
        );
      }
      return openModel(agent, meter, request);
    },
  };
}

function openModel(agent: Agent, meter: CallMeter, request: IncomingMessage): OipModel {
  const key = readKey(request);
  return {
    describe(signal) {
      if (agent.callers.find(key, addressOf(request)) === undefined) throw refuseKey(key);
      return agent.oip.use((backend) => backend.describe(signal), signal);
    },
    async isReady(signal) {
      if (agent.entry().draining) return false;
      return agent.oip.use((backend) => backend.isReady(signal), signal).catch(() => false);
    },
    begin: () => openCall(agent, meter.begin(agent, key, addressOf(request))),
  };
}

function openCall(agent: Agent, metered: MeteredCall): OipCall {
  const { limits } = agent.entry();
  return {
    maxBodyBytes: limits.maxBodyBytes,
    abandon: metered.abandon,
    async infer(inputs, build, gone) {
      const outputs = await withTimeout(limits.timeoutMs, gone, (signal) =>
        agent.oip.use((backend) => backend.infer(inputs, signal), signal),
      ).catch((error: unknown) => {
        throw noteFailure(metered, inputs, error);
      });
      const body = tryBuild(metered, () => build(outputs));
      return { body, headers: receiptHeaders(await metered.finish(describeTensors(inputs, outputs))) };
    },
  };
}

/** An answer that cannot be written in the form asked for is the caller's matter; it pays nothing. */
function tryBuild<T>(metered: MeteredCall, build: () => T): T {
  try {
    return build();
  } catch (error) {
    metered.abandon();
    throw error;
  }
}

/** Failures of the backend are written down; refusals, and what is wrong with the input, are not. */
function noteFailure(metered: MeteredCall, inputs: NamedTensors, error: unknown): unknown {
  const { status } = toRefusal(error);
  if (status === 500 || status === 502 || status === 504) metered.fail(describeTensors(inputs));
  else metered.abandon();
  return error;
}

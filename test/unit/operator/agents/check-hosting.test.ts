import { expect, test } from "vitest";
import { checkHosting, type HostingCase, isPassing } from "../../../../src/operator/agents/check-hosting.ts";
import type { AgentObject } from "../../../../src/operator/kinds.ts";

function anAgent(protocol: string, policy: string): AgentObject {
  const spec = { protocol, verification: { policy }, host: { worker: "w1" }, anyone: true, callers: [] };
  return { metadata: { name: "a" }, spec } as unknown as AgentObject;
}

const facts = (allowUnverified: boolean): HostingCase => ({
  worker: { spec: { role: "Worker" }, status: { tier: "Mid" } } as HostingCase["worker"],
  ...{ payout: undefined, chain: undefined, chainProblem: undefined, callers: [], allowUnverified },
});

test("an agent of OpenAI's API is hosted where unverified work is settled, and elsewhere told what to do", () => {
  expect(checkHosting(anAgent("OpenAI", "None"), facts(true))).toBeUndefined();
  const refusal = checkHosting(anAgent("OpenAI", "None"), facts(false));
  expect(refusal?.reason).toBe("PolicyNotAllowed");
  expect(refusal?.message).toMatch(/no call is taken.*operator\.allowUnverified.*Open Inference Protocol/s);
});

test("an agent whose answers cannot be run again cannot ask for it", () => {
  expect(checkHosting(anAgent("OpenAI", "Exact"), facts(true))?.reason).toBe("PolicyNotFit");
  expect(checkHosting(anAgent("OpenInference", "Exact"), facts(false))).toBeUndefined();
  expect(checkHosting(anAgent("OpenInference", "None"), facts(false))?.message).toContain("choose Exact or Tolerance");
});

test("of what speaks against an agent, the chain's silence and its host's state pass, and its own words do not", () => {
  const agent = {
    ...anAgent("OpenInference", "Exact"),
    spec: { ...anAgent("OpenInference", "Exact").spec, agentId: "1" },
  };
  const found = (changed: Partial<HostingCase>) => checkHosting(agent as AgentObject, { ...facts(false), ...changed });
  const low = { spec: { role: "Worker" }, status: { tier: "Low" } } as HostingCase["worker"];
  const findings = [
    found({ chainProblem: "no answer" }),
    found({ worker: low }),
    found({ worker: undefined }),
    found({}),
    checkHosting(anAgent("OpenAI", "None"), facts(false)),
  ];
  expect(findings.map((finding) => [finding?.reason, finding && isPassing(finding)])).toEqual([
    ["ChainUnavailable", true],
    ["HostTierTooLow", true],
    ["HostUnknown", true],
    ["NotRegistered", false],
    ["PolicyNotAllowed", false],
  ]);
});

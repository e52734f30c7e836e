/** The task that settles a window of an agent's calls. Pure. */
import { labels } from "../../api/v1alpha1/labels.ts";
import { apiVersion } from "../../api/v1alpha1/meta.ts";
import type { OpenedCall } from "../../pool/agents.ts";
import { writeInline } from "../../pool/inline-tensors.ts";
import type { InlineTensors } from "../../pool/work-assignment.ts";
import { formatIfr } from "../../protocol/amount.ts";
import { type CallContentKind, tensorOfDigest } from "../../protocol/call-contents.ts";
import type { WindowStatement } from "../../protocol/call-window.ts";
import type { AgentObject, TaskObject } from "../kinds.ts";
import { toStatement } from "../task-inputs.ts";
import type { HeldWindow } from "./caller-accounts.ts";

/** By its window, so that whoever makes it twice makes it once. */
export function windowTaskName({ metadata }: AgentObject, windowId: string): string {
  return nameOf(metadata.name, windowId);
}

const nameOf = (agent: string, windowId: string) => `${agent}-${windowId.slice(2, 14)}`;

/** Whether it is the one task that the window is settled by. */
export function isTaskOfWindow(
  { metadata, spec }: TaskObject,
  findWindow: (windowId: string) => HeldWindow | undefined,
): boolean {
  const window = spec.calls && findWindow(spec.calls.windowId);
  if (!spec.calls || !window) return false;
  const { statement } = window;
  const said = toStatement(spec.calls);
  const isSame = (Object.keys(statement) as (keyof WindowStatement)[]).every(
    (field) => said[field] === statement[field],
  );
  return isSame && metadata.name === nameOf(spec.calls.agent, statement.windowId);
}

/** Long enough for a verdict over a small panel's escalation; what is not validated by then is never paid. */
const deadlineSeconds = 86_400;
const keepSeconds = 86_400;

/** What a user would send: fields with a default may be left out. */
export type WindowTask = Pick<TaskObject, "apiVersion" | "kind" | "metadata"> & {
  readonly spec: Partial<TaskObject["spec"]>;
};

export interface WindowTaskParts {
  readonly statement: WindowStatement;
  readonly calls: readonly OpenedCall[];
}

/** @param parts whose calls have tensors where they can be run again: what does not fit was refused before */
export function buildWindowTask(agent: AgentObject, { statement, calls }: WindowTaskParts): WindowTask {
  const { spec, metadata } = agent;
  const { samples: _, ...verification } = spec.verification;
  const answered = calls.filter(({ leaf }) => leaf.outcome === "Ok");
  const content = spec.protocol === "OpenAI" ? "Digests" : "Tensors";
  const caller = spec.callers.find(({ id }) => id === statement.callerId);
  return {
    apiVersion,
    kind: "InferenceTask",
    metadata: {
      name: windowTaskName(agent, statement.windowId),
      namespace: metadata.namespace ?? "",
      labels: { [labels.agent]: metadata.name },
    },
    spec: {
      type: "Agent",
      model: { uri: spec.model.uri, digest: spec.model.digest, format: "onnx" },
      input: {
        inline: join(answered.map((call) => tensorsOf(call, "input", content))),
        calls: answered.length,
      } as NonNullable<WindowTask["spec"]["input"]>,
      calls: {
        ...statement,
        agent: metadata.name,
        opened: calls.map(({ leaf: { windowId: __, ...leaf }, proof }) => ({ leaf, proof: [...proof] })),
        content,
        output: join(answered.map((call) => tensorsOf(call, "output", content))) as NonNullable<
          WindowTask["spec"]["calls"]
        >["output"],
      },
      verification,
      // Nobody else could sign for what this host served.
      nodeSelector: { [labels.worker]: spec.host.worker },
      retries: 0,
      timeoutSeconds: 120,
      deadlineSeconds,
      ttlSecondsAfterFinished: keepSeconds,
      ...(statement.revenueWei === "0" || !caller
        ? {}
        : {
            reward: formatIfr(BigInt(statement.revenueWei)),
            ...(caller.requester ? { requester: caller.requester } : {}),
            ...(caller.orderRef ? { orderRef: caller.orderRef } : {}),
          }),
    },
  };
}

function tensorsOf({ leaf, ...call }: OpenedCall, side: "input" | "output", content: CallContentKind): InlineTensors {
  if (content === "Digests") return writeInline(tensorOfDigest(leaf[`${side}Digest`]));
  return call[side]?.kind === "tensors" ? call[side].tensors : {};
}

function join(calls: readonly InlineTensors[]): InlineTensors {
  return Object.fromEntries(
    calls.flatMap((tensors, at) => Object.entries(tensors).map(([name, tensor]) => [`${at}/${name}`, tensor])),
  );
}

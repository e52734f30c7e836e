/**
 * Windows of calls as gateways bring them: a commitment is checked, written down and only then answered with the seed that
 * draws the calls to be opened; what is opened is checked against the root and becomes the task that settles the window.
 * A gateway's word is taken for how many calls there were, and for nothing else: it cannot spend more than the caller may,
 * come with a window twice, or choose what is looked at. Effects: writes accounts, creates tasks.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { sha256 } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import { isAlreadyExists } from "../../kube/api-error.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { OpenRequest, OpenResponse } from "../../pool/agent-requests.ts";
import type { AgentEntry, OpenedCall } from "../../pool/agents.ts";
import { readInline } from "../../pool/inline-tensors.ts";
import { poolLimits } from "../../pool/wire.ts";
import { type CallWindow, type CommittedWindow, checkOpened, checkStatement } from "../../protocol/call-window.ts";
import { digestTensors } from "../../protocol/tensors/canonical.ts";
import type { AgentObject, TaskObject } from "../kinds.ts";
import type { OperatorMetrics } from "../metrics.ts";
import type { AgentDirectory } from "./agent-directory.ts";
import type { CallerAccount, CallerAccounts, HeldWindow } from "./caller-accounts.ts";
import { buildWindowTask } from "./window-task.ts";

export interface WindowDeskOptions {
  readonly directory: Pick<AgentDirectory, "find" | "isComplete" | "pausedFor">;
  readonly findAgent: (entry: AgentEntry) => AgentObject | undefined;
  readonly accounts: CallerAccounts;
  readonly tasks: KubeClient<TaskObject>;
  readonly clock: Clock;
  readonly metrics: Pick<OperatorMetrics, "agentCalls" | "agentWindows">;
  /** Something of the agent changed, `namespace/name`. */
  readonly onChange: (key: string) => void;
}

export const windowLimits = {
  /** Older calls are not settled: so long a window that was taken is remembered. */
  maxAgeMs: 2 * 3_600_000,
  maxAheadMs: 60_000,
  /** Of one caller, that are not over. */
  maxPending: 256,
  maxCalls: 1_000_000,
  maxSamples: 64,
  /** What was opened must fit into one object, beside its proofs. */
  maxOpenedBytes: 512 * 1024,
} as const;

export class WindowDesk {
  readonly #options: WindowDeskOptions;

  constructor(options: WindowDeskOptions) {
    this.#options = options;
  }

  /** @throws InferiumError reject: UnknownAgent, UnknownCaller, InvalidWindow, WindowChanged, BudgetExceeded; retry: AgentsNotRead, AgentPaused, TooManyWindows */
  async commit(window: CallWindow): Promise<CommittedWindow> {
    const { accounts, clock, metrics, onChange } = this.#options;
    const known = this.#answerAgain(window);
    if (known !== undefined) return known;
    // First, so that a window of an agent that stays away does not come again for ever.
    const wrong = checkTimes(window, clock.now());
    if (wrong !== undefined) throw refuse("InvalidWindow", `The window does not hold: ${wrong}.`);
    const { agent, entry } = this.#findAgent(window.agentId);
    this.#checkWindow(window, agent, entry);
    const seed = `0x${randomBytes(32).toString("hex")}`;
    const statement = { ...window, seed, samples: countSamples(window, agent) };
    await accounts.change(agent.metadata.uid ?? "", window.callerId, (account) => {
      // Two calls of one gateway at once: the first has drawn the seed.
      if (account.held.some((held) => held.statement.windowId === window.windowId)) return undefined;
      checkBudget(account, window, entry);
      const pending = account.held.filter(({ state }) => state === "Committed" || state === "Opened").length;
      if (pending >= windowLimits.maxPending) throw tooMany(pending);
      metrics.agentWindows.inc({ state: "Committed" });
      metrics.agentCalls.inc(window.count);
      return addWindow(account, { statement, state: "Committed", committedAtMs: clock.now() });
    });
    onChange(`${entry.namespace}/${entry.name}`);
    const taken = this.#answerAgain(window);
    if (taken !== undefined) return taken;
    throw new InferiumError("WindowGone", "The window was taken and is gone again; come again.", {
      disposition: "retry",
    });
  }

  /** @throws InferiumError reject: UnknownWindow, WindowLost, InvalidCalls; retry: those of the API server */
  async open({ windowId, calls }: OpenRequest): Promise<OpenResponse> {
    const { accounts, tasks, metrics, onChange } = this.#options;
    const found = accounts.findWindow(windowId);
    if (!found) throw refuse("UnknownWindow", `No window ${windowId} was committed to, or it is long over.`);
    const { account, window } = found;
    if (window.state === "Lost")
      throw refuse("WindowLost", `Window ${windowId} was opened too late, or its task failed.`);
    if (window.state !== "Committed") return { status: "Duplicate" };
    const { agent, entry } = this.#findAgent(window.statement.agentId);
    checkCalls(window, calls, entry);
    const hasAnswers = calls.some(({ leaf }) => leaf.outcome === "Ok");
    const task = hasAnswers ? buildWindowTask(agent, { statement: window.statement, calls }) : undefined;
    if (task) {
      await tasks.create(task as TaskObject).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
    }
    await accounts.change(account.agentUid, account.callerId, (now) =>
      replaceWindow(now, windowId, (held) => ({
        ...held,
        // A window without an answer in it costs nothing, and there is nothing to check.
        state: task ? "Opened" : "Settled",
        ...(task ? { task: task.metadata.name } : {}),
      })),
    );
    onChange(`${entry.namespace}/${entry.name}`);
    metrics.agentWindows.inc({ state: task ? "Opened" : "Settled" });
    return { status: "Recorded" };
  }

  /** Of a window that is held already. @throws InferiumError WindowChanged */
  #answerAgain(window: CallWindow): CommittedWindow | undefined {
    const held = this.#options.accounts.findWindow(window.windowId)?.window.statement;
    if (!held) return undefined;
    const { seed, samples, ...before } = held;
    const isSame = (Object.keys(before) as (keyof CallWindow)[]).every((field) => before[field] === window[field]);
    if (isSame) return { seed, samples };
    throw refuse("WindowChanged", `Window ${window.windowId} was committed to before, with other words.`);
  }

  #findAgent(agentId: string): { readonly agent: AgentObject; readonly entry: AgentEntry } {
    const entry = this.#options.directory.find(agentId);
    const agent = entry && this.#options.findAgent(entry);
    if (entry && agent) return { agent, entry };
    // After a start: what was served before it must not be lost for that.
    if (!this.#options.directory.isComplete()) throw notRead(agentId);
    const reason = this.#options.directory.pausedFor(agentId);
    if (reason !== undefined) throw paused(agentId, reason);
    throw refuse("UnknownAgent", `There is no agent ${agentId} that may be called.`);
  }

  #checkWindow(window: CallWindow, agent: AgentObject, entry: AgentEntry): void {
    const wrong = checkStatement({ ...window, seed: "", samples: 0 });
    if (wrong !== undefined) throw refuse("InvalidWindow", `The window does not hold: ${wrong}.`);
    if (entry.callers !== "anyone" && !agent.spec.callers.some(({ id }) => id === window.callerId))
      throw refuse("UnknownCaller", `Agent ${entry.name} has no caller ${window.callerId}.`);
    const mostWei = BigInt(entry.priceWei) * BigInt(window.count - window.failed);
    if (BigInt(window.revenueWei) > mostWei)
      throw refuse(
        "InvalidWindow",
        `${window.count - window.failed} calls cost ${window.revenueWei} wei; at most ${mostWei} are asked.`,
      );
  }
}

function checkTimes({ firstAtMs, lastAtMs, count }: CallWindow, nowMs: number): string | undefined {
  if (count > windowLimits.maxCalls)
    return `it has ${count} calls; at most ${windowLimits.maxCalls} are settled at once`;
  if (firstAtMs > lastAtMs) return "its first call is after its last";
  if (lastAtMs > nowMs + windowLimits.maxAheadMs) return `its last call is ${lastAtMs - nowMs} ms from now`;
  if (firstAtMs >= nowMs - windowLimits.maxAgeMs) return undefined;
  return `its first call was ${nowMs - firstAtMs} ms ago; it must come within ${windowLimits.maxAgeMs}`;
}

/** So many that some of them were answered, however many failed. */
function countSamples({ count, failed }: CallWindow, { spec }: AgentObject): number {
  return Math.min(count, spec.verification.samples + failed, windowLimits.maxSamples);
}

/** What is left by the entry is what was left when it was made; what came since is in the account. */
function checkBudget(account: CallerAccount, window: CallWindow, { callers, name }: AgentEntry): void {
  const revenueWei = BigInt(window.revenueWei);
  if (revenueWei === 0n) return;
  const caller = callers === "anyone" ? undefined : callers.find(({ id }) => id === window.callerId);
  const leftWei =
    BigInt(caller?.budgetWei ?? "0") - (BigInt(account.spentWei) - BigInt(caller?.spentWei ?? account.spentWei));
  if (caller === undefined || revenueWei > leftWei) {
    const message = `Caller ${window.callerId} of agent ${name} may still spend ${leftWei > 0n ? leftWei : 0n} wei; the window costs ${revenueWei}.`;
    throw refuse("BudgetExceeded", message);
  }
  if (caller.maxWindowWei === undefined || revenueWei <= BigInt(caller.maxWindowWei)) return;
  throw refuse(
    "BudgetExceeded",
    `The order of caller ${window.callerId} pays ${caller.maxWindowWei} wei for one window at most.`,
  );
}

/** @throws InferiumError InvalidCalls */
function checkCalls({ statement }: HeldWindow, calls: readonly OpenedCall[], { protocol, priceWei }: AgentEntry): void {
  const stray = calls.find(({ leaf }) => leaf.windowId !== statement.windowId);
  if (stray) throw invalidCalls(`call ${stray.leaf.index} is of window ${stray.leaf.windowId}`);
  const wrong = checkOpened(statement, calls);
  if (wrong !== undefined) throw invalidCalls(wrong);
  for (const { leaf, input, output } of calls) {
    if (BigInt(leaf.priceWei) > BigInt(priceWei)) throw invalidCalls(`call ${leaf.index} cost ${leaf.priceWei} wei`);
    if (leaf.outcome === "Failed") continue;
    const check = protocol === "oip" ? checkTensors : checkBody;
    check(leaf.inputDigest, input, `the input of call ${leaf.index}`);
    check(leaf.outputDigest, output, `the output of call ${leaf.index}`);
  }
  // Of calls that nobody can run again the task holds no more than their digests.
  if (protocol !== "oip") return;
  const bytes = Buffer.byteLength(JSON.stringify(calls));
  if (bytes > windowLimits.maxOpenedBytes)
    throw invalidCalls(`they have ${bytes} bytes; at most ${windowLimits.maxOpenedBytes} fit into a task`);
  const outputs = calls.flatMap(({ output }) =>
    output?.kind === "tensors" ? [...readInline(output.tensors).values()] : [],
  );
  const outputBytes = outputs.reduce((sum, { data }) => sum + data.byteLength, 0);
  if (outputBytes > poolLimits.maxOutputBytes)
    throw invalidCalls(`their outputs have ${outputBytes} bytes; a receipt carries ${poolLimits.maxOutputBytes}`);
}

function checkTensors(digest: string, content: OpenedCall["output"], what: string): void {
  if (content?.kind !== "tensors") throw invalidCalls(`${what} is no tensors`);
  const got = digestTensors(readInline(content.tensors));
  if (got !== digest) throw invalidCalls(`${what} has digest ${got}; its receipt says ${digest}`);
}

/** A body need not be shown: only whether it is the one that the receipt names could be told from it. */
function checkBody(digest: string, content: OpenedCall["output"], what: string): void {
  if (content === undefined) return;
  if (content.kind !== "body") throw invalidCalls(`${what} is no body`);
  const got = sha256(Buffer.from(content.base64, "base64"));
  if (got !== digest) throw invalidCalls(`${what} has digest ${got}; its receipt says ${digest}`);
}

function addWindow(account: CallerAccount, window: HeldWindow): CallerAccount {
  const { count, failed, revenueWei } = window.statement;
  return {
    ...account,
    calls: account.calls + count,
    failed: account.failed + failed,
    windows: account.windows + 1,
    spentWei: (BigInt(account.spentWei) + BigInt(revenueWei)).toString(),
    held: [...account.held, window],
  };
}

export function replaceWindow(
  account: CallerAccount,
  windowId: string,
  change: (window: HeldWindow) => HeldWindow,
): CallerAccount {
  const held = account.held.map((window) => (window.statement.windowId === windowId ? change(window) : window));
  return { ...account, held };
}

const refuse = (code: string, message: string) => new InferiumError(code, message);
const invalidCalls = (why: string) => refuse("InvalidCalls", `The calls that were opened are not taken: ${why}.`);

function notRead(agentId: string): InferiumError {
  const message = `Whether there is an agent ${agentId} is not known yet, the operator has just started; come again.`;
  return new InferiumError("AgentsNotRead", message, { disposition: "retry" });
}

function paused(agentId: string, reason: string): InferiumError {
  const message = `Agent ${agentId} takes no calls and no windows for now (${reason}); come again.`;
  return new InferiumError("AgentPaused", message, { disposition: "retry" });
}

function tooMany(pending: number): InferiumError {
  const message = `${pending} windows of this caller are not settled yet; come again when some are.`;
  return new InferiumError("TooManyWindows", message, { disposition: "retry" });
}

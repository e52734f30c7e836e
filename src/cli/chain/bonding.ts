/** `inferium bond`, `unbond` and `withdraw`: what owners do with the bonds of their nodes. */
import { getAddress, Signature } from "ethers";
import { InferiumError } from "../../base/errors.ts";
import { consentTypes, readConsentDomain, readExpiry, roleCode } from "../../chain/bond.ts";
import { openSigner } from "../../chain/open-signer.ts";
import { formatIfr, parseIfr } from "../../protocol/amount.ts";
import { type ChainSession, printSteps, runSteps, type Step } from "./chain-session.ts";

export interface BondOptions {
  readonly role: "worker" | "validator";
  readonly amount: string;
  /** Address of a node that is bonded already. */
  readonly node?: string;
  /** Key of the node, which agrees to its first bond. */
  readonly nodeKeyFile?: string;
  readonly payout?: string;
}

export async function runBond(options: BondOptions, session: ChainSession): Promise<number> {
  const { client } = session;
  const signer = await session.signer();
  const owner = await signer.getAddress();
  const amountWei = parseIfr(options.amount);
  const nodeKey =
    options.nodeKeyFile === undefined ? undefined : await openSigner({ keyFile: options.nodeKeyFile }, null);
  const node = nodeKey ? await nodeKey.getAddress() : getAddress(options.node ?? owner);
  const known = await client.node(node);
  if (known.state === "Disqualified")
    throw new InferiumError("Banned", `${node} is banned for ever: bond another key.`);
  const held = await client.balanceOf(owner);
  if (held < amountWei) {
    const message = `${owner} holds ${formatIfr(held)} IFR; ${formatIfr(amountWei)} are to be bonded.`;
    throw new InferiumError("InsufficientFunds", message);
  }
  const role = roleCode[options.role === "validator" ? "Validator" : "Worker"];
  const payout = getAddress(options.payout ?? (known.role === "None" ? owner : known.payout));
  const approve: Step = { contract: "token", call: "approve", values: [client.addresses.registry, amountWei] };
  const first = async (): Promise<Step> => {
    const expiresAt = await readExpiry(signer);
    const domain = await readConsentDomain({ signer, addresses: client.addresses });
    const consent = await nodeKey?.signTypedData(domain, consentTypes, { node, role, owner, payout, expiresAt });
    const compact = Signature.from(consent).compactSerialized;
    return {
      contract: "registry",
      call: "bondWithConsent",
      values: [node, role, payout, amountWei, expiresAt, compact],
    };
  };
  const more: Step = { contract: "registry", call: "bond", values: [node, role, payout, amountWei] };
  const results = await runSteps(session, [approve, known.role === "None" && nodeKey ? await first() : more]);
  return printSteps(
    session,
    results,
    `Bonds ${formatIfr(amountWei)} IFR for ${node} as ${options.role}, paid out to ${payout}.`,
  );
}

export interface UnbondOptions {
  readonly node: string;
  readonly amount: string;
}

export async function runUnbond(options: UnbondOptions, session: ChainSession): Promise<number> {
  const node = getAddress(options.node);
  const values = [node, parseIfr(options.amount)];
  const results = await runSteps(session, [{ contract: "registry", call: "requestUnbond", values }]);
  return printSteps(session, results, `${options.amount} IFR of ${node} unbond; they stay slashable until withdrawn.`);
}

export async function runWithdraw(options: { readonly node: string }, session: ChainSession): Promise<number> {
  const node = getAddress(options.node);
  const results = await runSteps(session, [{ contract: "registry", call: "withdraw", values: [node] }]);
  return printSteps(session, results, `What ${node} has unbonded goes to its owner.`);
}

export interface RequesterOptions {
  readonly amount?: string;
  readonly for?: string;
  readonly to?: string;
  readonly cancel?: boolean;
}

export async function runDeposit(options: RequesterOptions, session: ChainSession): Promise<number> {
  const amountWei = parseIfr(options.amount ?? "");
  const requester = getAddress(options.for ?? (await (await session.signer()).getAddress()));
  const { escrow } = session.client.addresses;
  const results = await runSteps(session, [
    { contract: "token", call: "approve", values: [escrow, amountWei] },
    { contract: "escrow", call: "depositFor", values: [requester, amountWei] },
  ]);
  return printSteps(session, results, `Deposits ${formatIfr(amountWei)} IFR for ${requester}.`);
}

/** With an amount: asks for it. Without: takes what was asked for and has waited long enough. */
export async function runRequesterWithdraw(options: RequesterOptions, session: ChainSession): Promise<number> {
  const self = await (await session.signer()).getAddress();
  if (options.cancel === true) {
    const results = await runSteps(session, [{ contract: "escrow", call: "cancelWithdrawal", values: [] }]);
    return printSteps(session, results, "What was asked back is put to use again.");
  }
  if (options.amount !== undefined) {
    const values = [parseIfr(options.amount)];
    const results = await runSteps(session, [{ contract: "escrow", call: "requestWithdrawal", values }]);
    return printSteps(
      session,
      results,
      `${options.amount} IFR are asked back; withdraw again without an amount when the wait is over.`,
    );
  }
  const to = getAddress(options.to ?? self);
  const results = await runSteps(session, [{ contract: "escrow", call: "withdraw", values: [to] }]);
  return printSteps(session, results, `What was asked back and is not spent goes to ${to}.`);
}

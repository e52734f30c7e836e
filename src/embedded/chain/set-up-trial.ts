/**
 * What a development chain needs for a pool, done as often as one likes: the contracts, stake for each member, the set of validators, a
 * requester's deposit, ether for who sends transactions. Every member owns itself. Effects: transactions of the development accounts.
 */
import { type JsonRpcProvider, Wallet } from "ethers";
import { InferiumError } from "../../base/errors.ts";
import type { ContractAddresses } from "../../chain/addresses.ts";
import { loadArtifact } from "../../chain/artifacts.ts";
import { bondNode, type ChainWriter, depositFor, mintTokens } from "../../chain/bond.ts";
import { sortAddresses } from "../../chain/certificate.ts";
import { type ChainClient, connectChain } from "../../chain/client.ts";
import { deployOnce, predictAddresses } from "../../chain/deploy.ts";
import { defaultDeployParameters } from "../../chain/deploy-parameters.ts";
import { NativeKey } from "../../chain/native-key.ts";
import { openProvider } from "../../chain/provider.ts";
import { sendBatch } from "../../chain/send-batch.ts";
import { parseIfr } from "../../protocol/amount.ts";
import { developmentAccounts } from "./development-accounts.ts";
import { giveEther } from "./give-ether.ts";
import type { TrialKeys, TrialMember } from "./trial-keys.ts";
import { trialParameters } from "./trial-parameters.ts";

/** The chain id of anvil. Another chain is never set up: its tokens could be worth something. */
export const developmentChainId = 31_337;
const [deployer, , , requester] = developmentAccounts(4);
const depositWei = parseIfr("100000");
const timeoutMs = 60_000;

/** Where the contracts of every trial stand: they follow from the first development account, which deploys nothing else. */
export function trialAddresses(): ContractAddresses {
  return predictAddresses(deployer?.address ?? "", 0);
}

/** @throws InferiumError NoDevelopmentChain, OtherDeployment, RpcFailed and those of the transactions */
export async function setUpTrial(rpcUrl: string, keys: TrialKeys): Promise<void> {
  const provider = await openProvider({ rpcUrl, timeoutMs: 10_000 });
  try {
    await requireDevelopmentChain(provider, rpcUrl);
    const signer = new Wallet(new NativeKey(deployer?.privateKey ?? ""), provider);
    const { members } = keys;
    const validators = members.filter(({ role }) => role === "Validator").map(({ address }) => address);
    const { addresses } = await deployOnce({ signer, parameters: { ...trialParameters, validators } });
    if (addresses.settlement !== trialAddresses().settlement) throw otherDeployment(addresses);
    const client = await connectChain({ rpcUrl, addresses, timeoutMs: 10_000 });
    try {
      await giveEther(provider, [keys.settler, ...members.map(({ address }) => address)]);
      await bondMissing({ signer, addresses }, client, members);
      await seatMissing({ signer, addresses }, client, validators);
      await fillDeposit({ signer, addresses }, client);
    } finally {
      client.close();
    }
  } finally {
    provider.destroy();
  }
}

async function requireDevelopmentChain(provider: JsonRpcProvider, rpcUrl: string): Promise<void> {
  const { chainId } = await provider.getNetwork();
  const isAnvil = await provider.send("anvil_nodeInfo", []).then(
    () => true,
    () => false,
  );
  if (chainId === BigInt(developmentChainId) && isAnvil) return;
  const got = `chain ${chainId}${isAnvil ? "" : ", which is no anvil"}`;
  throw new InferiumError(
    "NoDevelopmentChain",
    `A trial needs a development chain: ${rpcUrl} is ${got}; expected anvil's ${developmentChainId}. For another chain: inferium chain deploy.`,
    { disposition: "fatal" },
  );
}

async function bondMissing(writer: ChainWriter, client: ChainClient, members: readonly TrialMember[]): Promise<void> {
  const { workerBondWei, validatorBondWei, disputeBondWei } = defaultDeployParameters;
  for (const { role, signer: node, address } of members) {
    // Who was slashed stays so: a trial shows what happens.
    if ((await client.node(address)).state !== "None") continue;
    const amountWei = role === "Worker" ? workerBondWei : validatorBondWei;
    // A validator also puts up a bond where it disputes a result.
    const mintedWei = role === "Worker" ? amountWei : amountWei + disputeBondWei;
    await mintTokens(writer, [{ account: address, amountWei: mintedWei }]);
    const own = { ...writer, signer: node.connect(writer.signer.provider) };
    await bondNode(own, { node, role, payout: address, amountWei });
  }
}

/** Validators that came with an upgrade get a seat; who was expelled gets none again. */
async function seatMissing(writer: ChainWriter, client: ChainClient, validators: readonly string[]): Promise<void> {
  const seated = await client.validators(await client.epoch());
  const states = await Promise.all(validators.map((address) => client.node(address)));
  const wanted = validators.filter((_, index) => states[index]?.state === "Active");
  if (wanted.every((address) => seated.includes(address))) return;
  const data = loadArtifact("ValidatorSets").abi.encodeFunctionData("rotate", [sortAddresses(wanted)]);
  const action = "ValidatorSets.rotate";
  await sendBatch(writer.signer, [{ action, to: writer.addresses.validatorSets, data, gasLimit: 3_000_000n }], {
    timeoutMs,
  });
}

/** For tasks that pay: its key is as public as the others. */
async function fillDeposit(writer: ChainWriter, client: ChainClient): Promise<void> {
  const account = requester?.address ?? "";
  if ((await client.spendable(account)) > 0n) return;
  await mintTokens(writer, [{ account: await writer.signer.getAddress(), amountWei: depositWei }]);
  await depositFor(writer, [{ account, amountWei: depositWei }]);
}

function otherDeployment({ settlement }: ContractAddresses): InferiumError {
  const message = `The contracts of this chain stand elsewhere (Settlement at ${settlement}, expected ${trialAddresses().settlement}): its first account was used for something else. Begin a new chain.`;
  return new InferiumError("OtherDeployment", message, { disposition: "fatal" });
}

/** The public IFR token, which its administrator can pause, in the place of ours: with the balances that ours has. */
import { readFile } from "node:fs/promises";
import { ContractFactory, toBeHex } from "ethers";
import type { ChainFixture } from "./chain-fixture.ts";

/** Behind the fields of ERC20, which both tokens have first. */
const pausedSlot = 5;

/** @returns what ends the pause, and puts our token back */
export async function pauseToken(chain: ChainFixture): Promise<() => Promise<void>> {
  const { provider, addresses, admin } = chain;
  const { token } = addresses;
  const ours = await provider.getCode(token);
  const before = await provider.getStorage(token, pausedSlot);
  await provider.send("anvil_setCode", [token, await readPublicCode(chain)]);
  await provider.send("anvil_setStorageAt", [token, toBeHex(pausedSlot, 32), toBeHex(1, 32)]);
  await provider.send("anvil_mine", ["0x1"]);
  if ((await chain.client.balanceOf(admin.signer.address)) === 0n)
    throw new Error("the public token lost the balances");
  return async () => {
    await provider.send("anvil_setStorageAt", [token, toBeHex(pausedSlot, 32), before]);
    await provider.send("anvil_setCode", [token, ours]);
    await provider.send("anvil_mine", ["0x1"]);
  };
}

async function readPublicCode({ admin, provider }: ChainFixture): Promise<string> {
  const file = new URL("../../fixtures/PublicIfrToken.json", import.meta.url);
  const { abi, bytecode } = JSON.parse(await readFile(file, "utf8"));
  const contract = await new ContractFactory(abi, bytecode, admin.signer).deploy();
  await contract.waitForDeployment();
  return provider.getCode(await contract.getAddress());
}

/** Only a development chain gives ether away. Effects: the balances of these accounts. */
import { parseEther, toBeHex } from "ethers";

interface Endpoint {
  send(method: string, parameters: unknown[]): Promise<unknown>;
}

/** Ten ether for each. @throws of the endpoint where it is no anvil */
export async function giveEther(endpoint: Endpoint, accounts: readonly string[]): Promise<void> {
  const amount = toBeHex(parseEther("10"));
  await Promise.all(accounts.map((account) => endpoint.send("anvil_setBalance", [account, amount])));
}

/** The block in which a contract was deployed, for whoever has lost the record of it. */
import type { Provider } from "ethers";

/** By halving: some 25 reads. 0 where the endpoint does not keep old states: then searches begin at the first block. */
export async function findCreationBlock(provider: Provider, address: string): Promise<number> {
  try {
    let [without, withCode] = [-1, await provider.getBlockNumber()];
    while (withCode - without > 1) {
      const middle = Math.floor((without + withCode) / 2);
      if ((await provider.getCode(address, middle)) === "0x") without = middle;
      else withCode = middle;
    }
    return withCode;
  } catch {
    // An endpoint without the state of that block says so in words of its own; nothing is lost but time.
    return 0;
  }
}

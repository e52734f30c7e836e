/** Anvil's well-known accounts. Their keys are public: never use them on a chain that others reach. */
import { HDNodeWallet, Mnemonic } from "ethers";

export interface FundedAccount {
  readonly address: string;
  readonly privateKey: string;
}

const phrase = "test test test test test test test test test test test junk";

export function developmentAccounts(count: number): FundedAccount[] {
  const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(phrase), "m/44'/60'/0'/0");
  return Array.from({ length: count }, (_, index) => {
    const { address, privateKey } = root.deriveChild(index);
    return { address, privateKey };
  });
}

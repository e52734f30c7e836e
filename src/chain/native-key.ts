/**
 * ethers' key with libsecp256k1 under it: the same addresses and the same bytes of signatures, without the tables that ethers' JavaScript
 * curve makes in each process before its first signature. For wallets that this project opens; see protocol/signature.ts.
 */
import { type BytesLike, getBytes, Signature, SigningKey } from "ethers";
import { computePublicKey, signDigest } from "../protocol/signature.ts";

export class NativeKey extends SigningKey {
  override get publicKey(): string {
    return computePublicKey(getBytes(this.privateKey)) ?? super.publicKey;
  }

  override sign(digest: BytesLike): Signature {
    return Signature.from(signDigest(getBytes(this.privateKey), digest));
  }
}

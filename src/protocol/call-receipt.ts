/**
 * A call's receipt as it travels in the header `inferium-receipt`: a dictionary of RFC 9651 with all fields of the leaf, the
 * leaf's hash, and the Ed25519 signature over it or over those that ended together with it. Written by the gateway, read by callers. Pure.
 */
import { InferiumError } from "../base/errors.ts";
import { type CallLeaf, hashCallLeaf, type SignedBatch } from "./calls.ts";

export const receiptHeader = "inferium-receipt";

export interface CallReceipt {
  readonly leaf: CallLeaf;
  /** Of the leaf, see hashCallLeaf. */
  readonly hash: string;
  /** Ed25519 over encodeReceiptMessage of the batch's root, base64. */
  readonly signature: string;
  readonly batch: SignedBatch;
}

export function formatReceipt({ leaf, hash, signature, batch }: CallReceipt): string {
  return (
    `window="${leaf.windowId}", index=${leaf.index}, outcome=${leaf.outcome}, input="${leaf.inputDigest}", ` +
    `output="${leaf.outputDigest}", price="${leaf.priceWei}", started=${leaf.startedAtMs}, ended=${leaf.endedAtMs}, ` +
    `leaf="${hash}", signature=:${signature}:, batch="${[`${batch.index}/${batch.count}`, ...batch.proof].join(" ")}"`
  );
}

/**
 * @param text the header's value, or all headers or events with it among them
 * @throws InferiumError InvalidReceipt where this is no receipt, or its hash is not that of its fields
 */
export function parseReceipt(text: string): CallReceipt {
  const [, named] = /inferium-receipt[: ]([^\r\n]*)/i.exec(text) ?? [];
  const fields = new Map<string, string>();
  for (const match of (named ?? text).matchAll(/\b([a-z]+)=(?:"([^"]*)"|:([^:]*):|([A-Za-z0-9]+))/g)) {
    fields.set(match[1] ?? "", match[2] ?? match[3] ?? match[4] ?? "");
  }
  const read = (name: string) => {
    const value = fields.get(name);
    if (value !== undefined) return value;
    throw invalid(`has no field "${name}"`);
  };
  const outcome = read("outcome");
  if (outcome !== "Ok" && outcome !== "Failed") throw invalid(`has outcome "${outcome.slice(0, 20)}"`);
  const leaf: CallLeaf = {
    windowId: read("window"),
    index: Number(read("index")),
    outcome,
    inputDigest: read("input"),
    outputDigest: read("output"),
    priceWei: read("price"),
    startedAtMs: Number(read("started")),
    endedAtMs: Number(read("ended")),
  };
  const hash = read("leaf");
  if (hashCallLeaf(leaf) !== hash) throw invalid("has fields that do not hash to its leaf: one of them was changed");
  return { leaf, hash, signature: read("signature"), batch: parseBatch(read("batch")) };
}

function parseBatch(text: string): SignedBatch {
  const [place = "", ...proof] = text.split(" ");
  const [, index, count] = /^([0-9]{1,6})\/([0-9]{1,6})$/.exec(place) ?? [];
  if (index === undefined || count === undefined) throw invalid(`has a batch "${place.slice(0, 20)}"`);
  return { index: Number(index), count: Number(count), proof };
}

function invalid(what: string): InferiumError {
  return new InferiumError("InvalidReceipt", `The receipt ${what}; expected the value of the header ${receiptHeader}.`);
}

/** How the Governor's calls name a proposal that was made: by all that it says, and its description's hash. Pure. */
import { id as hashText } from "ethers";
import type { Proposal } from "./governance-reader.ts";

/** Of `queue`, `execute`, `cancel`. */
export function governorArguments({ actions, description }: Pick<Proposal, "actions" | "description">) {
  return [
    actions.map(({ target }) => target),
    actions.map(({ valueWei }) => valueWei),
    actions.map(({ data }) => data),
    hashText(description),
  ] as const;
}

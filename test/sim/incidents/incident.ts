/**
 * What went wrong in another network or cluster, as a scenario of its own: `npm run test:sim -- NAME` shows that it does not
 * here. Some are played in the whole pool, some among machines, and some are what existing tests show, which are run then.
 */
import type { Scenario, ScenarioOptions, ScenarioReport } from "../scenario.ts";

export interface Incident {
  readonly name: string;
  readonly elsewhere: string;
  readonly here: string;
  /** How it is shown, for people. */
  readonly shownBy: string;
  run(options: ScenarioOptions): Promise<ScenarioReport>;
}

export function toScenario({ name, elsewhere, here, run }: Incident): Scenario {
  return { name, what: `elsewhere: ${elsewhere}; here: ${here}`, numbers: {}, run };
}

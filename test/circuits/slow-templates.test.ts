/**
 * Templates that take circom minutes: the short run looks at what src/zk/circuit emits, `npm run test:circuits -- --long` compiles them
 * too, each alone and beside the other files.
 */
import { isLong } from "./support/profile.ts";
import { testTemplates } from "./support/template-suite.ts";
import { templates } from "./support/templates.ts";

const slow = templates.filter(({ isSlowInCircom = false }) => isSlowInCircom);
testTemplates(slow, isLong ? { compileMs: 1_500_000 } : {});

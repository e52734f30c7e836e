/** `npm run test:circuits -- --long` sets the variable; `npm test` runs the short profile. */
export const isLong = process.env.INFERIUM_CIRCUITS === "long";

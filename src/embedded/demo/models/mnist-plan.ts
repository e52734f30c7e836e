/** How the committed classifier is trained: by its script, and by whoever wants to arrive at the very same model. */

/** Images at the end of the training set that only the choice of scales sees. The test set sees nothing but the result. */
export const heldImages = 5_000;

export const mnistPlan = {
  ...{ seed: 1998, imagesPerStep: 100 },
  rates: [0.03, 0.03, 0.02, 0.02, 0.01, 0.01, 0.005, 0.0025],
} as const;

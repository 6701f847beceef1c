/** The best split of a leaf that was found so far. Mutable, reused: the search makes none per candidate. */
export class SplitInfo {
  /** Lowering of the loss, twice over (the factor one half is left out everywhere); 0 is no split. */
  gain = 0;
  /** Position in `BinnedMatrix.features`. */
  feature = -1;
  /** Rows of bins <= bin go left. */
  bin = -1;
  missingLeft = false;
  leftGradient = 0;
  leftHessian = 0;
  leftCount = 0;

  clear(): void {
    this.gain = 0;
    this.feature = -1;
  }
}

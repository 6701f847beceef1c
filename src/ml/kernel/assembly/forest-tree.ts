/** The tree that a thread is growing, and the node of it that is being split. */

/**
 * Every thread runs an instance of the kernel of its own, so these belong to it. A room holds the rows in the order of the
 * leaves, what they add up to (a packed int64 for sums, class and weight for classes), spare room for both, ranges that
 * wait, features in random order, and cells of a histogram.
 */
export class Tree {
  static rows: usize = 0;
  static values: usize = 0;
  static spareRows: usize = 0;
  static spareValues: usize = 0;
  static ranges: usize = 0;
  static features: usize = 0;
  static cells: usize = 0;
  static classTotals: usize = 0;
  static classLefts: usize = 0;
  static nodes: usize = 0;
  static nodeValues: usize = 0;
  static nNodes: u32 = 0;
  static nRanges: u32 = 0;
  static criterion: u32 = 0;
  static nClasses: u32 = 0;
  static countBits: i64 = 0;
  static countMask: i64 = 0;
  static minSamplesLeaf: i64 = 0;
  static weight0: f64 = 1;
  static weight1: f64 = 1;

  // The node that is being split.
  static total: i64 = 0;
  static parentScore: f64 = 0;
  static bestScore: f64 = 0;
  static bestFeature: i32 = -1;
  static bestCut: u32 = 0;
  static bestMissingLeft: bool = false;
}

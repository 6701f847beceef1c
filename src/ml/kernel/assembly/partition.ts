import {
  P_BLOCK, P_BINS, P_CHUNK_COUNTS, P_CHUNK_ROWS, P_COUNT, P_GATHER_COUNT, P_GATHER_START, P_LEAF_BINS, P_LEAF_PACKED,
  P_LEFT_TABLE, P_N_FEATURES, P_N_ROWS, P_PACKED, P_ROWS, P_ROWS_SPARE, P_START, P_LEAVES, P_SCORES, LEAF_RECORD_BYTES,
} from './layout';

/**
 * Divides a chunk of a leaf's rows by the bins of one feature, in order and without a branch: left rows stay at the
 * chunk's beginning, right rows go to the spare list. `P_BLOCK` is the address of the feature's bin of row 0.
 */
export function partitionTask(chunk: u32): void {
  const chunkRows = load<u32>(P_CHUNK_ROWS);
  const start = load<u32>(P_START) + chunk * chunkRows;
  const end = min<u32>(start + chunkRows, load<u32>(P_START) + load<u32>(P_COUNT));
  const rows = <usize>load<u32>(P_ROWS);
  const table = <usize>load<u32>(P_LEFT_TABLE);
  const bins = <usize>load<u32>(P_BLOCK);
  let left = rows + (<usize>start << 2);
  let right = <usize>load<u32>(P_ROWS_SPARE) + (<usize>start << 2);
  const last = rows + (<usize>end << 2);
  for (let at = left; at < last; at += 4) {
    const row = load<u32>(at);
    const goesLeft = <usize>load<u8>(table + <usize>load<u8>(bins + (<usize>row << 3)));
    store<u32>(left, row);
    store<u32>(right, row);
    left += goesLeft << 2;
    right += (1 - goesLeft) << 2;
  }
  store<u32>(<usize>load<u32>(P_CHUNK_COUNTS) + (<usize>chunk << 2), <u32>((left - rows) >> 2) - start);
}

/** Closes the gaps between the chunks of a partition; returns how many rows went left. Run by one thread. */
export function joinChunks(nChunks: u32): u32 {
  const chunkRows = load<u32>(P_CHUNK_ROWS);
  const start = load<u32>(P_START);
  const count = load<u32>(P_COUNT);
  const rows = <usize>load<u32>(P_ROWS) + (<usize>start << 2);
  const spare = <usize>load<u32>(P_ROWS_SPARE) + (<usize>start << 2);
  const counts = <usize>load<u32>(P_CHUNK_COUNTS);
  let nLeft: u32 = 0;
  for (let chunk: u32 = 0; chunk < nChunks; chunk++) {
    const chunkLeft = load<u32>(counts + (<usize>chunk << 2));
    if (chunk > 0) memory.copy(rows + (<usize>nLeft << 2), rows + (<usize>(chunk * chunkRows) << 2), <usize>chunkLeft << 2);
    nLeft += chunkLeft;
  }
  let nDone = nLeft;
  for (let chunk: u32 = 0; chunk < nChunks; chunk++) {
    const from = chunk * chunkRows;
    const nRight = min<u32>(chunkRows, count - from) - load<u32>(counts + (<usize>chunk << 2));
    memory.copy(rows + (<usize>nDone << 2), spare + (<usize>from << 2), <usize>nRight << 2);
    nDone += nRight;
  }
  return nLeft;
}

/**
 * Packed derivatives of a child's rows, in their order, so that histograms read them one after the other. The bins of
 * a sparse leaf are gathered, too: a loop that does nothing else has many more cache misses under way at once.
 */
export function gatherTask(chunk: u32): void {
  const chunkRows = load<u32>(P_CHUNK_ROWS);
  const count = load<u32>(P_GATHER_COUNT);
  const from = chunk * chunkRows;
  const to = min<u32>(from + chunkRows, count);
  const rows = <usize>load<u32>(P_ROWS) + (<usize>load<u32>(P_GATHER_START) << 2);
  gather8(<usize>load<u32>(P_PACKED), rows, from, to, <usize>load<u32>(P_LEAF_PACKED));
  const leafBins = <usize>load<u32>(P_LEAF_BINS);
  if (leafBins == 0) return;
  const nBlocks = (load<u32>(P_N_FEATURES) + 7) >> 3;
  for (let block: u32 = 0; block < nBlocks; block++) {
    const bins = <usize>load<u32>(P_BINS) + <usize>block * (<usize>load<u32>(P_N_ROWS) << 3);
    gather8(bins, rows, from, to, leafBins + <usize>block * (<usize>count << 3));
  }
}

function gather8(values: usize, rows: usize, from: u32, to: u32, out: usize): void {
  for (let i = from; i < to; i++) {
    store<i64>(out + (<usize>i << 3), load<i64>(values + (<usize>load<u32>(rows + (<usize>i << 2)) << 3)));
  }
}

/** Adds a leaf's value to the scores of its rows. */
export function addScoresTask(leaf: u32): void {
  const record = <usize>load<u32>(P_LEAVES) + <usize>leaf * LEAF_RECORD_BYTES;
  const rows = <usize>load<u32>(P_ROWS);
  const scores = <usize>load<u32>(P_SCORES);
  const last = rows + (<usize>load<u32>(record, 4) << 2);
  const value = load<f64>(record, 8);
  for (let at = rows + (<usize>load<u32>(record) << 2); at < last; at += 4) {
    const score = scores + (<usize>load<u32>(at) << 3);
    store<f64>(score, load<f64>(score) + value);
  }
}

import {
  BLOCK_BYTES, P_BINS, P_CHUNK_ROWS, P_COUNT, P_HISTOGRAM, P_HISTOGRAM_BYTES, P_IDENTITY_ROWS, P_LEAF_BINS, P_LEAF_PACKED,
  P_N_CHUNKS, P_N_FEATURES, P_N_ROWS, P_PARTIAL_HISTOGRAMS, P_ROWS, P_START,
} from './layout';

/** Adds a row to the first `width` features of a block; the width is a constant wherever this is compiled. */
@inline
function addRow(histogram: usize, bins: u64, packed: i64, width: i32): void {
  let cell = histogram + <usize>((bins << 3) & 0x7f8);
  store<i64>(cell, load<i64>(cell) + packed);
  if (width > 1) {
    cell = histogram + <usize>((bins >> 5) & 0x7f8);
    store<i64>(cell, load<i64>(cell, 2048) + packed, 2048);
  }
  if (width > 2) {
    cell = histogram + <usize>((bins >> 13) & 0x7f8);
    store<i64>(cell, load<i64>(cell, 4096) + packed, 4096);
  }
  if (width > 3) {
    cell = histogram + <usize>((bins >> 21) & 0x7f8);
    store<i64>(cell, load<i64>(cell, 6144) + packed, 6144);
  }
  if (width > 4) {
    cell = histogram + <usize>((bins >> 29) & 0x7f8);
    store<i64>(cell, load<i64>(cell, 8192) + packed, 8192);
  }
  if (width > 5) {
    cell = histogram + <usize>((bins >> 37) & 0x7f8);
    store<i64>(cell, load<i64>(cell, 10240) + packed, 10240);
  }
  if (width > 6) {
    cell = histogram + <usize>((bins >> 45) & 0x7f8);
    store<i64>(cell, load<i64>(cell, 12288) + packed, 12288);
  }
  if (width > 7) {
    cell = histogram + <usize>((bins >> 53) & 0x7f8);
    store<i64>(cell, load<i64>(cell, 14336) + packed, 14336);
  }
}

@inline
function addRows(
  bins: usize, rows: usize, packed: usize, from: u32, to: u32, histogram: usize, identity: bool, width: i32,
): void {
  for (let i = from; i < to; i++) {
    const row = identity ? i : load<u32>(rows + (<usize>i << 2));
    addRow(histogram, load<u64>(bins + (<usize>row << 3)), load<i64>(packed + (<usize>i << 3)), width);
  }
}

function addRows8(bins: usize, rows: usize, packed: usize, from: u32, to: u32, histogram: usize): void {
  addRows(bins, rows, packed, from, to, histogram, false, 8);
}
function addRows6(bins: usize, rows: usize, packed: usize, from: u32, to: u32, histogram: usize): void {
  addRows(bins, rows, packed, from, to, histogram, false, 6);
}
function addRows4(bins: usize, rows: usize, packed: usize, from: u32, to: u32, histogram: usize): void {
  addRows(bins, rows, packed, from, to, histogram, false, 4);
}
function addRows2(bins: usize, rows: usize, packed: usize, from: u32, to: u32, histogram: usize): void {
  addRows(bins, rows, packed, from, to, histogram, false, 2);
}
function addAll8(bins: usize, packed: usize, from: u32, to: u32, histogram: usize): void {
  addRows(bins, 0, packed, from, to, histogram, true, 8);
}
function addAll6(bins: usize, packed: usize, from: u32, to: u32, histogram: usize): void {
  addRows(bins, 0, packed, from, to, histogram, true, 6);
}
function addAll4(bins: usize, packed: usize, from: u32, to: u32, histogram: usize): void {
  addRows(bins, 0, packed, from, to, histogram, true, 4);
}
function addAll2(bins: usize, packed: usize, from: u32, to: u32, histogram: usize): void {
  addRows(bins, 0, packed, from, to, histogram, true, 2);
}

/**
 * Sums of a block of features over a chunk of a leaf's rows. Task = block * nChunks + chunk. Chunk 0 fills the leaf's
 * histogram, the others fill partial ones that the split search adds to it: integers, so the order does not matter.
 */
export function histogramTask(task: u32): void {
  const nChunks = load<u32>(P_N_CHUNKS);
  const block = task / nChunks;
  const chunk = task % nChunks;
  const count = load<u32>(P_COUNT);
  const chunkRows = load<u32>(P_CHUNK_ROWS);
  const from = chunk * chunkRows;
  const to = chunk + 1 == nChunks ? count : from + chunkRows;
  const base = chunk == 0
    ? <usize>load<u32>(P_HISTOGRAM)
    : <usize>load<u32>(P_PARTIAL_HISTOGRAMS) + <usize>(chunk - 1) * <usize>load<u32>(P_HISTOGRAM_BYTES);
  const histogram = base + <usize>block * BLOCK_BYTES;
  const width = min<u32>(8, load<u32>(P_N_FEATURES) - block * 8);
  const leafBins = <usize>load<u32>(P_LEAF_BINS);
  const bins = leafBins != 0
    ? leafBins + <usize>block * (<usize>count << 3)
    : <usize>load<u32>(P_BINS) + <usize>block * (<usize>load<u32>(P_N_ROWS) << 3);
  const packed = <usize>load<u32>(P_LEAF_PACKED);
  memory.fill(histogram, 0, <usize>width * 2048 + (width & 1) * 2048);
  if (leafBins != 0 || load<u32>(P_IDENTITY_ROWS) != 0) {
    if (width > 6) addAll8(bins, packed, from, to, histogram);
    else if (width > 4) addAll6(bins, packed, from, to, histogram);
    else if (width > 2) addAll4(bins, packed, from, to, histogram);
    else addAll2(bins, packed, from, to, histogram);
    return;
  }
  const rows = <usize>load<u32>(P_ROWS) + (<usize>load<u32>(P_START) << 2);
  if (width > 6) addRows8(bins, rows, packed, from, to, histogram);
  else if (width > 4) addRows6(bins, rows, packed, from, to, histogram);
  else if (width > 2) addRows4(bins, rows, packed, from, to, histogram);
  else addRows2(bins, rows, packed, from, to, histogram);
}

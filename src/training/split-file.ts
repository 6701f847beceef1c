/** The rows of the two parts of a split, in table order. */
export interface SplitRows {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/** @returns int32s: number of train rows, the train rows, the test rows */
export function encodeSplit({ train, test }: SplitRows): Uint8Array {
  const all = new Int32Array(1 + train.length + test.length);
  all[0] = train.length;
  all.set(train, 1);
  all.set(test, 1 + train.length);
  return new Uint8Array(all.buffer);
}

export function decodeSplit(bytes: Uint8Array): SplitRows {
  // A copy, so that the view is aligned wherever the bytes came from.
  const all = new Int32Array(bytes.slice().buffer);
  const nTrain = all[0]!;
  return { train: all.subarray(1, 1 + nTrain), test: all.subarray(1 + nTrain) };
}

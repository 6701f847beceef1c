const mebibyte = 1024 * 1024;

/** Node, onnxruntime and the requests themselves. */
const runtimeBytes = 320 * mebibyte;
/** What is left over between models: memory that onnxruntime keeps after a release, and fragments. */
const shareForModels = 0.8;
const leastBytes = 32 * mebibyte;

/**
 * What models may take of a function with so much memory. The rest is not idle: a session that is released stays in
 * the process until the next one takes its memory, and an answer of 6 MB needs several times that while it is made.
 */
export const cacheBudgetBytes = (functionMemoryMiB: number): number =>
  Math.max(leastBytes, Math.floor((functionMemoryMiB * mebibyte - runtimeBytes) * shareForModels));

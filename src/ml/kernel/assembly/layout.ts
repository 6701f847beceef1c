/**
 * Where things lie in the kernel's memory, in bytes. Read by the kernel (AssemblyScript) and by its caller
 * (TypeScript) alike, so this file holds numbers only.
 */

// Control words of the job queue; each on a cache line of its own where threads meet.
export const JOB_WORD = 0;
export const JOBS_DONE = 64;
export const WAKE = 128;
export const SLEEPERS = 192;
export const STOP = 196;
export const N_THREADS = 200;

/** First byte that may be allocated. */
export const HEAP = 4096;

/** Features whose bins lie side by side, one byte each. */
export const BLOCK_FEATURES = 8;
/** Bins of a feature in a histogram; a bin has 8 bytes, a feature 2048, a block as many as follows. */
export const BINS = 256;
export const BLOCK_BYTES = 16384;

// Jobs.
export const JOB_SORT_SAMPLE = 1;
export const JOB_BIN_BLOCK = 2;
export const JOB_DERIVATIVES = 3;
export const JOB_QUANTIZE = 4;
export const JOB_PARTITION = 5;
export const JOB_GATHER = 6;
export const JOB_HISTOGRAM = 7;
export const JOB_SPLIT_SEARCH = 8;
export const JOB_ADD_SCORES = 9;
export const JOB_GROW_TREE = 10;

// Losses whose derivatives the kernel knows.
export const LOSS_SQUARED = 0;
export const LOSS_ABSOLUTE = 1;
export const LOSS_QUANTILE = 2;
export const LOSS_POISSON = 3;
export const LOSS_BINARY = 4;
export const LOSS_SOFTMAX = 5;
export const LOSS_SOFTMAX_CLASS = 6;

// Parameters of the running job, written before it starts: 4-byte words first, 8-byte words behind them.
export const P_N_ROWS = 256;
export const P_CHUNK_ROWS = 260;
export const P_ROWS = 264;
export const P_ROWS_SPARE = 268;
export const P_START = 272;
export const P_COUNT = 276;
export const P_BINS = 280;
export const P_PACKED = 284;
export const P_LEAF_PACKED = 288;
export const P_GRADIENTS = 292;
export const P_HESSIANS = 296;
export const P_SCORES = 300;
export const P_TARGET = 304;
export const P_WEIGHTS = 308;
export const P_IN_SAMPLE = 312;
export const P_PARTIALS = 316;
export const P_LOSS = 320;
export const P_CLASS = 324;
export const P_N_CLASSES = 328;
export const P_HESSIAN_BITS = 332;
export const P_COUNT_BITS = 336;
export const P_STOCHASTIC = 340;
export const P_SEED = 344;
export const P_FEATURES = 348;
export const P_N_FEATURES = 352;
export const P_HISTOGRAM = 356;
export const P_PARTIAL_HISTOGRAMS = 360;
export const P_N_CHUNKS = 364;
export const P_IDENTITY_ROWS = 368;
export const P_LEFT_TABLE = 372;
export const P_CHUNK_COUNTS = 376;
export const P_SIBLING = 380;
export const P_SUBTRACT = 384;
export const P_SEARCH = 388;
export const P_SPLITS = 392;
export const P_MIN_SAMPLES_LEAF = 396;
export const P_LEAVES = 400;
export const P_BLOCK = 404;
export const P_COLUMNS = 408;
export const P_SORT_SPARE = 412;
export const P_BLOCK_FEATURES = 416;
export const P_HAS_CONSTRAINTS = 424;
export const P_CONSTANT_HESSIAN = 428;
export const P_GATHER_START = 432;
export const P_GATHER_COUNT = 436;
export const P_HISTOGRAM_BYTES = 440;
/** Room for the bins of a sparse leaf, or 0 to leave them where they are. */
export const P_LEAF_BINS = 444;

// A forest.
export const P_ROW_BYTES = 448;
export const P_FEATURE_BYTES = 452;
export const P_CRITERION = 456;
export const P_MAX_FEATURES = 460;
export const P_MAX_DEPTH = 464;
export const P_MIN_SAMPLES_SPLIT = 468;
export const P_BOOTSTRAP = 472;
export const P_RANDOM_CUTS = 476;
export const P_FIRST_TREE = 480;
/** Room of a thread while it grows a tree, and how much of it there is; one flag per room says that it is taken. */
export const P_ROOMS = 484;
export const P_ROOM_BYTES = 488;
export const P_ROOM_FLAGS = 492;
export const P_TREES = 496;
export const P_TREE_BYTES = 500;
export const P_MAX_NODES = 504;

export const P_GRADIENT_SCALE = 512;
export const P_HESSIAN_SCALE = 520;
export const P_LAMBDA = 528;
export const P_MIN_GAIN = 536;
export const P_QUANTILE = 544;
export const P_MIN_HESSIAN = 552;
export const P_CATEGORY_SMOOTHING = 560;
/** Gain that a set owes for every category it was chosen among. */
export const P_CATEGORY_PRICE = 568;
/** Factor on residuals, so that those of huge targets are float32 numbers. */
export const P_TARGET_UNIT = 576;
/** Weight of a row of class 0 and of class 1 in a forest of two classes. */
export const P_CLASS_WEIGHTS = 584;
/** Two leaves that are searched: gradient, hessian, count, lowest and highest value (5 × float64 each). */
export const P_LEAF_SUMS = 640;
export const LEAF_SUMS_BYTES = 40;

/** A feature: number of bins of values, kind (0 numeric, 1 category), monotonic constraint (-1, 0, 1). */
export const FEATURE_RECORD_BYTES = 16;
/** A split: gain, left gradient, left hessian (float64), left count, bin, missing left, padding, 8 words of a set. */
export const SPLIT_BYTES = 80;
/** Scratch of a feature's category search: 256 keys, 256 positions. */
export const CATEGORY_SCRATCH_BYTES = 4096;
/** A leaf whose rows get its value: start, end, value (float64). */
export const LEAF_RECORD_BYTES = 16;

// What a forest minimizes.
export const CRITERION_VARIANCE = 0;
export const CRITERION_TWO_CLASSES = 1;
export const CRITERION_CLASSES = 2;

/** A forest's node: column, last bin that goes left, missing left, children (int32), rows, gain (float32), padding. */
export const FOREST_NODE_BYTES = 32;
/** A range of rows that waits to be split: start, end, node, depth. */
export const FOREST_RANGE_BYTES = 16;

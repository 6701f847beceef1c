/**
 * The numeric kernel of the tree learners, compiled to WebAssembly by `npm run build:kernel`. Everything lies in one
 * memory that all threads share; a job is a number of independent tasks, claimed one at a time by whoever is free.
 * Which thread runs a task never changes its result.
 */
import { binBlockTask, sortSampleTask } from './binning';
import { derivativesTask, quantizeTask } from './derivatives';
import { growTreeTask } from './forest';
import { histogramTask } from './histogram';
import {
  JOBS_DONE, JOB_ADD_SCORES, JOB_BIN_BLOCK, JOB_DERIVATIVES, JOB_GROW_TREE, JOB_HISTOGRAM, JOB_PARTITION, JOB_QUANTIZE, JOB_GATHER,
  JOB_SORT_SAMPLE, JOB_SPLIT_SEARCH, JOB_WORD, N_THREADS, SLEEPERS, STOP, WAKE,
} from './layout';
import { addScoresTask, gatherTask, partitionTask } from './partition';
import { splitSearchTask } from './split-search';
export { joinChunks } from './partition';

const SPINS: i32 = 4000;

function runTask(job: u32, task: u32): void {
  switch (job) {
    case JOB_GROW_TREE: growTreeTask(task); break;
    case JOB_HISTOGRAM: histogramTask(task); break;
    case JOB_SPLIT_SEARCH: splitSearchTask(task); break;
    case JOB_PARTITION: partitionTask(task); break;
    case JOB_GATHER: gatherTask(task); break;
    case JOB_ADD_SCORES: addScoresTask(task); break;
    case JOB_DERIVATIVES: derivativesTask(task); break;
    case JOB_QUANTIZE: quantizeTask(task); break;
    case JOB_SORT_SAMPLE: sortSampleTask(task); break;
    case JOB_BIN_BLOCK: binBlockTask(task); break;
  }
}

// The job word: epoch (16 bits), job (8), number of tasks (20), next task (20). All that a claim depends on is in the
// one word, so a thread that compares and swaps it claims a task of the job that runs now, or nothing.
@inline
function nTasksOf(word: i64): u32 {
  return <u32>((word >> 20) & 0xfffff);
}
@inline
function nextOf(word: i64): u32 {
  return <u32>(word & 0xfffff);
}

/** Claims and runs one task; false when none is left. */
function runNext(): bool {
  for (;;) {
    const word = atomic.load<i64>(JOB_WORD);
    const next = nextOf(word);
    const nTasks = nTasksOf(word);
    if (next >= nTasks) return false;
    if (atomic.cmpxchg<i64>(JOB_WORD, word, word + 1) != word) continue;
    runTask(<u32>((word >> 40) & 0xff), next);
    if (atomic.add<i32>(JOBS_DONE, 1) + 1 == <i32>nTasks) atomic.notify(JOBS_DONE, 1);
    return true;
  }
}

/** Runs all tasks of a job in this thread. */
export function runAlone(job: u32, nTasks: u32): void {
  for (let task: u32 = 0; task < nTasks; task++) runTask(job, task);
}

/** Runs all tasks of a job, with the other threads' help, and returns when the last is done. */
export function run(job: u32, nTasks: u32): void {
  if (nTasks == 0) return;
  if (nTasks == 1 || load<u32>(N_THREADS) < 2) {
    runAlone(job, nTasks);
    return;
  }
  const epoch = (atomic.load<i64>(JOB_WORD) >> 48) + 1;
  atomic.store<i32>(JOBS_DONE, 0);
  atomic.store<i64>(JOB_WORD, (epoch << 48) | (<i64>job << 40) | (<i64>nTasks << 20));
  atomic.add<i32>(WAKE, 1);
  if (atomic.load<i32>(SLEEPERS) > 0) atomic.notify(WAKE, -1);
  while (runNext()) {}
  for (let spins = 0; ; spins++) {
    const done = atomic.load<i32>(JOBS_DONE);
    if (done == <i32>nTasks) return;
    if (spins > SPINS) atomic.wait<i32>(JOBS_DONE, done, 10_000_000);
  }
}

/** What every other thread does until it is told to stop: help with jobs, look out a while, then sleep. */
export function work(): void {
  for (let spins = 0; atomic.load<i32>(STOP) == 0; spins++) {
    const wake = atomic.load<i32>(WAKE);
    if (runNext()) {
      spins = 0;
    } else if (spins > SPINS) {
      atomic.add<i32>(SLEEPERS, 1);
      atomic.wait<i32>(WAKE, wake, 100_000_000);
      atomic.sub<i32>(SLEEPERS, 1);
      spins = 0;
    }
  }
}

/** Lets the other threads go. */
export function stop(): void {
  atomic.store<i32>(STOP, 1);
  atomic.add<i32>(WAKE, 1);
  atomic.notify(WAKE, -1);
}

import { readFileSync } from 'node:fs';

const PAGE_BYTES = 4096;

/**
 * Memory that a process holds, native parts included, which no heap limit bounds. Anonymous pages only: pages of
 * shared libraries and mapped files can be dropped by the kernel at any time and are not what kills a function.
 * Undefined where there is no /proc (macOS): there the heap limit alone holds.
 */
export function residentBytes(pid: number): number | undefined {
  try {
    const [, resident, shared] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ').map(Number);
    return ((resident as number) - (shared as number)) * PAGE_BYTES;
  } catch {
    return undefined;
  }
}

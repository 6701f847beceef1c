/** Thrown while a graph is compiled: it may be a good one, and is nothing that this executor knows for certain. */
export class NotSupported extends Error {}

/** How long an ingest may take, from the start of its execution. Its job's deadline and the state machine's own limit are this. */
export const ingestTimeoutMinutes = 20;

/** How long an import may take: reading, inspecting and trying a file of the largest size. */
export const importTimeoutMinutes = 10;

/** How long a batch prediction may take. */
export const batchTimeoutMinutes = 60;

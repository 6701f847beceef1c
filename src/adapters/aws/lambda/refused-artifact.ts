/** What the alarm on refused artifacts counts; `RequestFigures.record` takes it. */
export const refusedArtifact = { artifacts_refused: { value: 1, unit: 'Count' } } as const;

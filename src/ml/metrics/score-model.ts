import type { PipelineModel } from '../pipeline-model.ts';
import { classTarget } from '../preprocessing/target.ts';
import { columnNamed, type NumericColumn, type Table } from '../table.ts';
import { classificationMetrics } from './classification-metrics.ts';
import { regressionMetrics } from './regression-metrics.ts';

/**
 * Metrics of a model on rows that hold its target, by the names that `metricTable` lists.
 * @param rows - at least one; every row has a target, and that of a regression is numeric.
 */
export function modelMetrics(model: PipelineModel, rows: Table): Record<string, number> {
  const predicted = model.predict(rows);
  const target = columnNamed(rows, model.target)!;
  if (model.classes === undefined) {
    return regressionMetrics((target as NumericColumn).values, predicted.values!);
  }
  const { indices } = classTarget(target, model.classes);
  return classificationMetrics(indices, predicted.probabilities!, model.classes);
}

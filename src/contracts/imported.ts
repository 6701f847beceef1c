import { z } from 'zod';
import { ClassLabel } from './class-label.ts';

/** What trained an imported model. */
export const ModelFramework = z
  .enum(['scikit-learn', 'tensorflow', 'pytorch', 'xgboost', 'lightgbm', 'onnx', 'other'])
  .meta({ id: 'ModelFramework' });
export type ModelFramework = z.infer<typeof ModelFramework>;

const GraphTensor = z.object({
  name: z.string(),
  element_type: z.string().describe('As ONNX calls it: float, double, int64, string, …'),
  shape: z.array(z.int()).describe('-1 for the number of rows'),
});

/** What an imported graph takes and gives, as it was read from the graph. */
export const ImportedSignature = z
  .object({
    inputs: z.array(GraphTensor),
    outputs: z.array(GraphTensor),
    rows: z
      .enum(['matrix', 'columns', 'tensors'])
      .describe(
        'matrix: one tensor [N, F] holds all features; columns: one tensor a feature; tensors: several',
      ),
    label: z.string().optional().describe('The output that holds the label'),
    probabilities: z.string().optional(),
    prediction: z.string().optional().describe('The output that holds the value of a regression'),
    graph_classes: z
      .array(z.union([z.string(), z.number()]))
      .optional()
      .describe("The graph's own labels, where they are known"),
    resident_bytes: z.int().describe('What a session is expected to take'),
    bytes_per_row: z.int().describe('What a row is expected to take while it is predicted'),
    accepts_missing: z.boolean().describe('Whether a missing value gave a finite prediction'),
  })
  .meta({ id: 'ImportedSignature' });
export type ImportedSignature = z.infer<typeof ImportedSignature>;

/** What was found in a file that was not refused. */
export const ImportInspection = z
  .object({
    producer: z.string(),
    opsets: z.record(z.string(), z.int()),
    operators: z.record(z.string(), z.int()).describe('How many nodes there are of each'),
    parameter_bytes: z.int(),
    n_features: z.int(),
    task: z.enum(['classification', 'regression']),
    features: z
      .array(
        z.object({
          name: z.string(),
          type: z.enum(['number', 'boolean', 'date', 'category']),
          input: z.string(),
        }),
      )
      .describe('The first 100; the metadata of the version has all, and so it is with inputs and classes'),
    classes: z.array(ClassLabel).optional(),
    signature: ImportedSignature,
  })
  .meta({ id: 'ImportInspection' });
export type ImportInspection = z.infer<typeof ImportInspection>;

/** Why a file was refused, and what to do about it. */
export const ImportRefusal = z
  .object({ code: z.string(), reason: z.string(), remedy: z.string() })
  .meta({ id: 'ImportRefusal' });
export type ImportRefusal = z.infer<typeof ImportRefusal>;

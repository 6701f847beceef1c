import type { z } from 'zod';
import type { ModelFramework as FrameworkSchema } from '../../contracts/imported.ts';

type FrameworkName = z.infer<typeof FrameworkSchema>;

/** What trained a model. */
export const ModelFramework = {
  SCIKIT_LEARN: 'scikit-learn',
  TENSORFLOW: 'tensorflow',
  PYTORCH: 'pytorch',
  XGBOOST: 'xgboost',
  LIGHTGBM: 'lightgbm',
  ONNX: 'onnx',
  OTHER: 'other',
} as const satisfies Readonly<Record<string, FrameworkName>>;
export type ModelFramework = FrameworkName;

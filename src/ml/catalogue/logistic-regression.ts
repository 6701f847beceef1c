import type { Algorithm } from './algorithm.ts';
import { classWeight } from './class-weight.ts';
import { linearFeatures, linearShapOfScores } from './feature-treatment.ts';
import { linearPreprocessing } from './linear-preprocessing.ts';

export const logisticRegression: Algorithm = {
  name: 'logistic_regression',
  title: 'Logistic regression',
  description:
    'Linear model of log odds with L2 or L1 penalty or both, multinomial for more than two classes: the sum of log losses plus `|w|² / (2 C)`, or `|w| / C`. Fitted by L-BFGS, or with L1 by proximal Newton steps.',
  choice:
    'For few rows, many weak features, or a model whose coefficients are to be read. What no line can say, such as two features that matter together, it does not see.',
  cost: 'Time grows with rows times columns times classes, per iteration. With L1, the products of all columns with each other are held, of at most 5,000. A model has one weight per column and class.',
  papers: [
    'Liu and Nocedal 1989, On the limited memory BFGS method for large scale optimization',
    'Yuan, Ho and Lin 2012, An improved GLMNET for L1-regularized logistic regression',
  ],
  tasks: ['classification'],
  features: linearFeatures,
  explanation: linearShapOfScores,
  hyperparameters: [
    {
      name: 'C',
      type: 'number',
      default: 1,
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 1e9,
      description: 'Inverse strength of the penalty; the intercept is not penalized.',
    },
    {
      name: 'penalty',
      type: 'choice',
      choices: ['l2', 'l1', 'elasticnet'],
      default: 'l2',
      description: 'l1 leaves out columns that do not help; elasticnet mixes both by l1_ratio.',
    },
    {
      name: 'l1_ratio',
      type: 'number',
      default: 0.5,
      minimum: 0,
      maximum: 1,
      description: 'Share of the L1 penalty, for penalty elasticnet only.',
    },
    {
      name: 'max_iter',
      type: 'integer',
      default: 500,
      minimum: 1,
      maximum: 100_000,
      description: 'Most iterations of the solver.',
    },
    {
      name: 'tol',
      type: 'number',
      default: 1e-4,
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 1,
      description: 'Stops when no component of the (sub)gradient of the mean loss is larger.',
    },
    classWeight,
    ...linearPreprocessing,
  ],
};

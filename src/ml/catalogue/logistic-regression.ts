import type { Algorithm } from './algorithm.ts';
import { classWeight } from './class-weight.ts';

export const logisticRegression: Algorithm = {
  name: 'logistic_regression',
  title: 'Logistic regression',
  description:
    'Linear model of log odds with L2 penalty, multinomial for more than two classes, on imputed, ' +
    'standardized and one-hot encoded features. Fitted by L-BFGS (Liu and Nocedal 1989).',
  tasks: ['classification'],
  hyperparameters: [
    {
      name: 'C',
      type: 'number',
      default: 1,
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 1e9,
      description: 'Inverse strength of the L2 penalty; the intercept is not penalized.',
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
      description: 'Stops when no component of the gradient of the mean loss is larger.',
    },
    classWeight,
  ],
};

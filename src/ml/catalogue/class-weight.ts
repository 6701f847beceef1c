import type { Hyperparameter } from '../hyperparameter.ts';

export const classWeight: Hyperparameter = {
  name: 'class_weight',
  type: 'choice',
  choices: ['balanced'],
  default: null,
  nullMeans: 'every row counts the same',
  description:
    'balanced: rows of a class weigh n_samples / (n_classes * rows of that class). Classification only.',
};

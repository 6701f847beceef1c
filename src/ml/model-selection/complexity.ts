/** Which of two equally good models is the simpler one: by what it takes to fit, to explain and to serve it. */
const order: Readonly<Record<string, number>> = {
  baseline: 0,
  linear_regression: 10,
  ridge: 10,
  lasso: 10,
  elastic_net: 10,
  logistic_regression: 10,
  decision_tree: 20,
  gradient_boosting: 30,
  extra_trees: 40,
  random_forest: 40,
};

/** What is not known is taken for the most complex. */
export const complexityOf = (algorithm: string): number => order[algorithm] ?? 50;

export const isLinear = (algorithm: string): boolean => complexityOf(algorithm) === order.ridge;

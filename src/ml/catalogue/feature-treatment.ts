import type { FeatureTreatment } from './algorithm.ts';

export const treeFeatures: FeatureTreatment = {
  numbers:
    'Cut into at most max_bins bins at quantiles of the training rows. Only their order matters: unit, skew and outliers ' +
    'do not.',
  missing:
    'Nothing is imputed: every split says on which side rows without a value go, the better one for the training rows; ' +
    'where a split saw none missing, they go with the majority.',
  categories:
    'The 254 most frequent ones that are not rare (20 rows, or 1 % of the rows where that is less, and never fewer than ' +
    '2) get a code, in the order of their mean target. Rare and unknown ones count as missing.',
  dates:
    'A number of days, and year, month, day, day of the week and hour (UTC) where training saw them differ.',
};

/** Of trees that may test whether a category is one of a set. */
export const treeFeaturesWithSets: FeatureTreatment = {
  ...treeFeatures,
  categories: `${treeFeatures.categories} A split cuts that order, or takes any set of codes apart from the rest.`,
};

export const linearFeatures: FeatureTreatment = {
  numbers: 'Put around their mean, in units of their standard deviation, or as scaling says.',
  missing:
    'The median stands in, or what imputation says, and where training saw values missing a column says so. Booleans ' +
    'take the most frequent value.',
  categories:
    'One column each for the most frequent ones, one for all rare or unknown ones, and one for missing where training saw ' +
    'it. categorical_encoding has other ways.',
  dates:
    'A number of days, and year, month, day, day of the week and hour (UTC) where training saw them differ.',
};

export const noFeatures: FeatureTreatment = {
  numbers: 'Not looked at; they must be finite all the same.',
  missing: 'Not looked at.',
  categories: 'Not looked at.',
  dates: 'Not looked at.',
};

export const treeShapOfScores =
  'Exact path-dependent TreeSHAP: the score of a row is the base plus one value per feature. Gain and number of splits ' +
  'per feature come with it.';

export const linearShapOfScores =
  'Linear SHAP under independent features: weight times distance from the training mean, columns of one feature added up. ' +
  'Coefficients come by name.';

import type { MLModelMetadata } from '../contracts/models.ts';
import type { ModelCard } from '../contracts/registry.ts';

const smallTestPart = 1_000;

/** @returns the card of a version, from what the registry knows of it (Mitchell et al., Model Cards for Model Reporting, 2019) */
export function modelCard(version: MLModelMetadata): ModelCard {
  const { manifest, model_name, origin } = version;
  const { split, task, target, features, classes, dataset_id } = manifest;
  const what = origin === 'imported' ? `an imported ${task} model` : `a ${task} model`;
  const goal = target === undefined ? '' : ` that predicts ${target}`;
  const how = version.algorithm ?? version.framework;
  return {
    ...{ model_name, version: version.version, stage: version.stage },
    summary: `${model_name} ${version.version} is ${what}${goal} from ${features.length} features${how === undefined ? '' : ` (${how})`}.`,
    description: version.description,
    intended_use:
      target === undefined
        ? 'Scoring rows with the features listed below; what its outputs mean is said by whoever brought it.'
        : `Predicting ${target} for rows like those of the data that it was trained on, through the predict API of its tenant.`,
    limits: limitsOf(version),
    data: {
      ...(dataset_id === undefined ? {} : { dataset_id }),
      ...(target === undefined ? {} : { target }),
      ...(split === undefined
        ? {}
        : {
            n_train: split.n_train,
            n_test: split.n_test,
            split: split.kind === 'random' ? `random, seed ${split.random_state}` : split.kind,
          }),
      features,
      ...(classes === undefined ? {} : { classes }),
    },
    metrics: version.metrics,
    training: {
      origin,
      ...(version.algorithm === undefined ? {} : { algorithm: version.algorithm }),
      ...(version.framework === undefined ? {} : { framework: version.framework }),
      hyperparameters: manifest.hyperparameters ?? {},
      software: manifest.software,
    },
    lineage: {
      ...{ job_id: version.job_id, build_id: version.build_id, sha256: version.sha256 },
      created_by: version.created_by,
    },
    ...{ tags: version.tags, notes: version.notes, created_at: version.created_at },
  };
}

/** What follows from the facts; nothing is guessed about the use. */
function limitsOf({ manifest, origin, metrics }: MLModelMetadata): string[] {
  const { split, features, classes } = manifest;
  const categories = features.filter(({ type }) => type === 'category').length;
  return [
    ...(origin === 'imported'
      ? ['It was brought as a file: its metrics were not measured here.']
      : ['Its metrics are those of the test part of one dataset; other data may differ.']),
    ...(split !== undefined && split.n_test < smallTestPart
      ? [`Only ${split.n_test} rows were tested: metrics are uncertain in the second digit.`]
      : []),
    ...(categories > 0
      ? [`A category that was not in the training data counts as unknown (${categories} features).`]
      : []),
    ...(classes !== undefined && metrics.log_loss !== undefined
      ? [
          'Probabilities are those of the model; whether they are calibrated shows in log_loss and brier_score.',
        ]
      : []),
    'Relations that it found are correlations and need not be causes.',
  ];
}

const cell = (value: unknown): string =>
  String(typeof value === 'object' ? JSON.stringify(value) : value)
    .replaceAll(/[\\|`<>*_[\]]/g, (character) => `\\${character}`)
    .replaceAll(/\s+/g, ' ');

const rows = (head: readonly string[], lines: readonly (readonly unknown[])[]): string =>
  [head, head.map(() => '---'), ...lines].map((line) => `| ${line.map(cell).join(' | ')} |`).join('\n');

/** @returns the card as Markdown; texts of tenants are escaped, so that none becomes markup */
export function modelCardMarkdown(card: ModelCard): string {
  const { data, training, lineage } = card;
  const sections: [string, string][] = [
    ...(card.description === '' ? [] : ([['Description', cell(card.description)]] as [string, string][])),
    ['Intended use', cell(card.intended_use)],
    ['Limits', card.limits.map((limit) => `- ${cell(limit)}`).join('\n')],
    ['Metrics', rows(['metric', 'value'], Object.entries(card.metrics))],
    [
      'Data',
      [
        rows(
          ['', ''],
          Object.entries(data).filter(([name]) => name !== 'features'),
        ),
        rows(
          ['feature', 'type'],
          data.features.map(({ name, type }) => [name, type]),
        ),
      ].join('\n\n'),
    ],
    [
      'Training',
      rows(
        ['', ''],
        [
          ...Object.entries(training).filter(([, value]) => typeof value === 'string'),
          ...Object.entries(training.hyperparameters),
          ...Object.entries(training.software),
        ],
      ),
    ],
    ['Lineage', rows(['', ''], [...Object.entries(lineage), ['created at', card.created_at]])],
    ...(card.notes === '' ? [] : ([['Notes', cell(card.notes)]] as [string, string][])),
  ];
  const head = `# ${cell(card.model_name)} ${cell(card.version)}\n\n${cell(card.summary)} Stage: ${card.stage}.`;
  return `${[head, ...sections.map(([title, text]) => `## ${title}\n\n${text}`)].join('\n\n')}\n`;
}

/**
 * The one direction of imports, as docs/architecture.md states it. TypeScript 7 offers no parser to other tools,
 * so the files are read with swc; a test plants a bad import to see that the check does read them.
 */
const domain = '^src/(data|features|imports|training|registry|tracking|serving|monitoring)/';

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    forbid(
      'no-cycles',
      'two files that need each other are one',
      {},
      { circular: true, dependencyTypesNot: ['type-only'] },
    ),
    forbid(
      'contracts-are-the-ground',
      'contracts and errors know nothing of the rest',
      { path: '^src/(contracts/|errors\\.ts|clock\\.ts)' },
      { path: '^(src|functions|infra|local)/', pathNot: '^src/(contracts/|errors\\.ts|clock\\.ts)' },
    ),
    forbid(
      'ml-is-pure',
      'numerics take no I/O, no platform and no domain',
      { path: '^src/ml/' },
      { path: '^(src|functions|infra|local)/', pathNot: '^src/(ml/|errors\\.ts|contracts/)' },
    ),
    forbid(
      'ml-touches-no-platform',
      'numerics run anywhere',
      { path: '^src/ml/' },
      { dependencyTypes: ['core'], path: '^(node:)?(fs|net|http|https|child_process|os|dns|tls)' },
    ),
    forbid(
      'tenancy-serves-the-domain',
      'tenancy knows contracts and errors only',
      { path: '^src/tenancy/' },
      { path: '^(src|functions|infra|local)/', pathNot: '^src/(tenancy/|contracts/|errors\\.ts|clock\\.ts)' },
    ),
    forbid(
      'domain-knows-no-adapter',
      'the domain states interfaces; adapters fill them',
      { path: domain },
      { path: '^(src/(adapters|composition|client|cli)|functions|infra|local)/' },
    ),
    forbid(
      'domain-reads-no-environment',
      'settings come in from the composition roots',
      { path: `${domain}|^src/(tenancy|ml)/` },
      { path: '^src/config\\.ts' },
    ),
    forbid(
      'adapters-know-no-root',
      'only functions and tests use the composition roots',
      { path: '^src/adapters/' },
      { path: '^(src/(composition|client|cli)|functions|infra|local)/' },
    ),
    forbid(
      'client-knows-contracts-only',
      'the client, the command line and the dashboard speak HTTP, and name errors',
      // `tenantml serve` is the model server itself.
      { path: '^(src/(client|cli)|web)/', pathNot: '^src/cli/commands/serve\\.ts$' },
      {
        path: '^(src|functions|infra|local)/',
        pathNot: '^src/(client|cli|contracts|errors\\.ts|index\\.ts)',
      },
    ),
    forbid(
      'functions-are-the-edge',
      'nothing imports a function or the infrastructure',
      { path: '^src/' },
      { path: '^(functions|infra|local)/' },
    ),
    forbid(
      'infra-names-functions-by-path',
      'stacks take the route table and settings, and bundle the rest by path',
      { path: '^infra/' },
      { path: '^(src|functions|local)/', pathNot: '^src/contracts/' },
    ),
    forbid(
      'twin-runs-the-template-only',
      'the twin knows nothing that is not deployed',
      { path: '^local/' },
      { path: '^(src|functions|infra)/' },
    ),
    forbid('no-unresolved', 'an import that leads nowhere', {}, { couldNotResolve: true }),
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(node_modules|build|\\.build)/|generated' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.cjs', '.json', '.d.ts'],
    },
  },
};

import { type Clock, isoAt } from '../clock.ts';
import type {
  LimitName,
  Limits,
  OwnSettings,
  Retention,
  SettingsRequest,
  SettingsView,
} from '../contracts/tenant.ts';
import { type FieldError, MLFrameworkError, ValidationError } from '../errors.ts';
import type { TenantContext } from './tenant-context.ts';

/** Somebody changed the settings since they were read. */
export class SettingsChangedError extends MLFrameworkError {
  constructor(given: number) {
    super(
      'SETTINGS_CHANGED',
      `the settings are no longer those of revision ${given}; read them again, and send the change with their revision`,
    );
  }
}

/** What is written down of a tenant. */
export interface StoredSettings {
  readonly plan?: string;
  /** Agreed beside or instead of the plan. */
  readonly agreed: Limits;
  readonly own: OwnSettings;
  /** 0 where the tenant never set anything. */
  readonly revision: number;
  readonly changed_by?: string;
  readonly changed_at?: string;
}

export interface SettingsStore {
  read(tenant: TenantContext): Promise<StoredSettings>;
  /** @returns false when the revision is another one, and nothing was written */
  write(
    tenant: TenantContext,
    own: OwnSettings,
    change: { readonly from: number; readonly changed_by: string; readonly changed_at: string },
  ): Promise<boolean>;
}

export interface SettingsParts {
  readonly store: SettingsStore;
  readonly clock: Clock;
  /** Limits of a plan, under the name that the store has. */
  readonly planLimits: (plan: string | undefined) => { readonly plan: string; readonly limits: Limits };
  readonly defaults: Required<Omit<OwnSettings, 'limits' | 'retention' | 'training_timeout_minutes'>>;
  /** How long the platform keeps things. */
  readonly keptDays: Required<Retention>;
  /** How long the platform lets a training take. */
  readonly trainingTimeoutMinutes: number;
}

const limitNames: readonly LimitName[] = [
  'requests_per_second',
  'burst',
  'concurrency',
  'max_memory_mb',
  'max_models',
];

/** What a tenant decides for itself, below what was agreed with the operator of the platform. */
export class Settings {
  readonly #parts: SettingsParts;

  constructor(parts: SettingsParts) {
    this.#parts = parts;
  }

  async get(tenant: TenantContext): Promise<SettingsView> {
    return this.#view(await this.#parts.store.read(tenant));
  }

  /**
   * @throws {ValidationError} a limit above what is agreed, or days beyond those of the platform
   * @throws {SettingsChangedError}
   */
  async put(tenant: TenantContext, { revision, ...own }: SettingsRequest): Promise<SettingsView> {
    const { store, clock } = this.#parts;
    const stored = await store.read(tenant);
    checkLower('/limits/', own.limits ?? {}, this.#agreed(stored).limits, agreedBound);
    checkLower('/retention/', own.retention ?? {}, this.#parts.keptDays, keptBound);
    const { training_timeout_minutes } = own;
    const most = { training_timeout_minutes: this.#parts.trainingTimeoutMinutes };
    checkLower('/', { training_timeout_minutes }, most, timeBound);
    const change = { changed_by: tenant.actor, changed_at: isoAt(clock.nowMs()) };
    const isWritten = await store.write(tenant, own, { ...change, from: revision });
    if (!isWritten) throw new SettingsChangedError(revision);
    return this.#view({ ...stored, own, ...change, revision: revision + 1 });
  }

  #agreed({ plan, agreed }: StoredSettings) {
    const known = this.#parts.planLimits(plan);
    return { plan: known.plan, limits: { ...known.limits, ...agreed } };
  }

  #view(stored: StoredSettings): SettingsView {
    const { own, revision, changed_by, changed_at } = stored;
    const { plan, limits: agreed } = this.#agreed(stored);
    const { limits: wanted = {}, retention = {}, ...rest } = own;
    const { defaults, keptDays, trainingTimeoutMinutes: most } = this.#parts;
    return {
      ...{ revision, plan, agreed, limits: lower(agreed, wanted) },
      ...defaults,
      ...rest,
      training_timeout_minutes: Math.min(own.training_timeout_minutes ?? most, most),
      retention: {
        prediction_log_days: Math.min(
          retention.prediction_log_days ?? keptDays.prediction_log_days,
          keptDays.prediction_log_days,
        ),
        job_days: Math.min(retention.job_days ?? keptDays.job_days, keptDays.job_days),
      },
      own,
      ...(changed_by === undefined ? {} : { changed_by }),
      ...(changed_at === undefined ? {} : { changed_at }),
    };
  }
}

/** @returns of each limit the lower one */
function lower(agreed: Limits, wanted: Limits): Limits {
  const pairs = limitNames.flatMap((name) => {
    const [a, b] = [agreed[name], wanted[name]];
    const value = a === undefined ? b : b === undefined ? a : Math.min(a, b);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(pairs);
}

/** Why a value may not be higher, and what to do about it. */
type Bound = readonly [rule: string, remedy: string];

const agreedBound: Bound = ['which is agreed', 'ask the operator of the platform for more'];
const keptBound: Bound = ['as long as the platform keeps them', 'export what you want to keep longer'];
const timeBound: Bound = ['which the platform gives', 'train on a part of the data, or a smaller model'];

function checkLower(
  under: string,
  wanted: Readonly<Record<string, number | undefined>>,
  most: Readonly<Record<string, number | undefined>>,
  [rule, remedy]: Bound,
): void {
  const errors = Object.entries(wanted).flatMap(([name, value]): FieldError[] => {
    const bound = most[name];
    if (value === undefined || bound === undefined || value <= bound) return [];
    return [{ pointer: `${under}${name}`, detail: `${value} must be <= ${bound}, ${rule}` }];
  });
  if (errors.length === 0) return;
  const said = errors.map(({ pointer, detail }) => `${pointer.slice(1)}=${detail}`).join('; ');
  throw new ValidationError(`${said}; ${remedy}`, { errors });
}

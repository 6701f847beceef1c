/** Calendar parts of an int64 input of epoch ms: the arithmetic of `calendarParts`, operator by operator. */
import {
  type CalendarPart,
  CIVIL,
  EPOCH_DAY_OF_WEEK,
  MS_PER_DAY,
  MS_PER_HOUR,
} from '../preprocessing/calendar-parts.ts';
import { attribute, type GraphBuilder } from './graph-builder.ts';
import { ElementType } from './onnx-versions.ts';

/** How a date spells missing: int64 has no NaN. */
export const MISSING_DATE = -(2n ** 63n);

/** Makes the columns of one date; what they share is written once, and only what is asked for is written. */
export class CalendarColumns {
  readonly #graph: GraphBuilder;
  readonly #input: string;
  readonly #known = new Map<string, string>();

  constructor(graph: GraphBuilder, input: string) {
    this.#graph = graph;
    this.#input = input;
  }

  /** float32 [N, 1]: days since `origin` (epoch ms), with fractions; NaN for missing. */
  time(origin: number): string {
    const ms = this.#graph.node('Cast', [this.#ms()], {
      attributes: [attribute.int('to', ElementType.double)],
    });
    const since = this.#graph.node('Sub', [ms, this.#graph.doubles([origin], [1])]);
    return this.#orNaN(this.#graph.node('Div', [since, this.#graph.doubles([MS_PER_DAY], [1])]));
  }

  /** float32 [N, 1]; NaN for missing. */
  part(part: CalendarPart): string {
    return this.#orNaN(this.#part(part));
  }

  #part(part: CalendarPart): string {
    switch (part) {
      case 'hour':
        return this.#binary('Div', this.#timeOfDay(), MS_PER_HOUR);
      case 'day_of_week':
        return this.#binary('Mod', this.#binary('Add', this.#days(), EPOCH_DAY_OF_WEEK), 7);
      case 'day':
        return this.#binary(
          'Add',
          this.#binary('Div', this.#binary('Mod', this.#months(), CIVIL.monthDivisor), CIVIL.monthFactor),
          1,
        );
      case 'month':
        return this.#binary(
          'Sub',
          this.#binary('Div', this.#months(), CIVIL.monthDivisor),
          this.#binary('Mul', this.#isNextYear(), 12),
        );
      case 'year':
        return this.#binary(
          'Add',
          this.#binary('Add', this.#binary('Mul', this.#century(), 100), this.#yearOfCentury()),
          this.#isNextYear(),
        );
    }
  }

  #isMissing(): string {
    return this.#once('missing', () =>
      this.#graph.node('Equal', [this.#input, this.#graph.int64s([MISSING_DATE], [1])]),
    );
  }

  /** Missing counts as 1970, so that no step overflows. */
  #ms(): string {
    return this.#once('ms', () =>
      this.#graph.node('Where', [this.#isMissing(), this.#graph.int64s([0n], [1]), this.#input]),
    );
  }

  // Mod takes the sign of the divisor, so that value - Mod(value) divides without rest before 1970, too.
  #timeOfDay(): string {
    return this.#once('timeOfDay', () => this.#binary('Mod', this.#ms(), MS_PER_DAY));
  }

  #days(): string {
    return this.#once('days', () =>
      this.#binary('Div', this.#binary('Sub', this.#ms(), this.#timeOfDay()), MS_PER_DAY),
    );
  }

  #quarters(): string {
    return this.#once('quarters', () =>
      this.#binary('Add', this.#binary('Mul', this.#days(), 4), 4 * CIVIL.daysBeforeEpoch + 3),
    );
  }

  #inFourCenturies(): string {
    return this.#once('inFourCenturies', () => this.#binary('Mod', this.#quarters(), CIVIL.daysPer400Years));
  }

  #century(): string {
    return this.#binary(
      'Div',
      this.#binary('Sub', this.#quarters(), this.#inFourCenturies()),
      CIVIL.daysPer400Years,
    );
  }

  #product(): string {
    return this.#once('product', () => {
      const wholeDays = this.#binary('Mul', this.#binary('Div', this.#inFourCenturies(), 4), 4);
      return this.#binary('Mul', this.#binary('Add', wholeDays, 3), CIVIL.yearFactor);
    });
  }

  #yearOfCentury(): string {
    return this.#binary('Div', this.#product(), CIVIL.yearDivisor);
  }

  #dayOfYear(): string {
    return this.#once('dayOfYear', () =>
      this.#binary('Div', this.#binary('Mod', this.#product(), CIVIL.yearDivisor), 4 * CIVIL.yearFactor),
    );
  }

  #months(): string {
    return this.#once('months', () =>
      this.#binary('Add', this.#binary('Mul', this.#dayOfYear(), CIVIL.monthFactor), CIVIL.monthOffset),
    );
  }

  /** 1 from January on, else 0: a year has fewer days than twice those before January. */
  #isNextYear(): string {
    return this.#once('isNextYear', () => this.#binary('Div', this.#dayOfYear(), CIVIL.januaryBegins));
  }

  #binary(operator: string, left: string, right: string | number): string {
    const second =
      typeof right === 'string'
        ? right
        : this.#once(`constant ${right}`, () => this.#graph.int64s([BigInt(right)], [1]));
    return this.#graph.node(operator, [left, second]);
  }

  #orNaN(value: string): string {
    const float = this.#graph.node('Cast', [value], { attributes: [attribute.int('to', ElementType.float)] });
    const nan = this.#once('nan', () => this.#graph.floats([Number.NaN], [1]));
    return this.#graph.node('Where', [this.#isMissing(), nan, float]);
  }

  #once(name: string, make: () => string): string {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const made = make();
    this.#known.set(name, made);
    return made;
  }
}

/** Calendar parts of a moment in UTC, in integer arithmetic that a graph repeats on int64 step by step. */

export const MS_PER_DAY = 86_400_000;
export const MS_PER_HOUR = 3_600_000;

/**
 * Constants of Neri and Schneider 2022 ("Euclidean affine functions and their application to calendar algorithms"),
 * who count days from 1 March of the year 0, so that a leap day is the last of its year.
 */
export const CIVIL = {
  /** From 0000-03-01 to 1970-01-01. */
  daysBeforeEpoch: 719_468,
  daysPer400Years: 146_097,
  /** 2^32 / 1461 rounded up: the year of a century comes out of the upper half of a product. */
  yearFactor: 2_939_745,
  yearDivisor: 2 ** 32,
  monthFactor: 2_141,
  monthOffset: 197_913,
  monthDivisor: 2 ** 16,
  /** Day of such a year on which January begins. */
  januaryBegins: 306,
} as const;

/** 1970-01-01 was a Thursday, three days after a Monday. */
export const EPOCH_DAY_OF_WEEK = 3;

export const CALENDAR_PARTS = ['year', 'month', 'day', 'day_of_week', 'hour'] as const;
/** month and day count from 1, day_of_week from 0 = Monday, hour from 0. */
export type CalendarPart = (typeof CALENDAR_PARTS)[number];

export type CalendarParts = Record<CalendarPart, number>;

/** @param epochMs - a whole number; exact for all that a Date can hold, before 1970, too. */
export function calendarParts(epochMs: number): CalendarParts {
  const timeOfDay = floorMod(epochMs, MS_PER_DAY);
  const days = (epochMs - timeOfDay) / MS_PER_DAY;
  const quarters = 4 * (days + CIVIL.daysBeforeEpoch) + 3;
  const inFourCenturies = floorMod(quarters, CIVIL.daysPer400Years);
  const century = (quarters - inFourCenturies) / CIVIL.daysPer400Years;
  const product = (4 * Math.floor(inFourCenturies / 4) + 3) * CIVIL.yearFactor;
  const yearOfCentury = Math.floor(product / CIVIL.yearDivisor);
  const dayOfYear = Math.floor((product % CIVIL.yearDivisor) / (4 * CIVIL.yearFactor));
  const months = dayOfYear * CIVIL.monthFactor + CIVIL.monthOffset;
  const isNextYear = dayOfYear >= CIVIL.januaryBegins ? 1 : 0;
  return {
    year: 100 * century + yearOfCentury + isNextYear,
    month: Math.floor(months / CIVIL.monthDivisor) - 12 * isNextYear,
    day: Math.floor((months % CIVIL.monthDivisor) / CIVIL.monthFactor) + 1,
    day_of_week: floorMod(days + EPOCH_DAY_OF_WEEK, 7),
    hour: Math.floor(timeOfDay / MS_PER_HOUR),
  };
}

/** In [0, divisor), for negative values, too. */
function floorMod(value: number, divisor: number): number {
  const rest = value % divisor;
  return rest < 0 ? rest + divisor : rest + 0;
}

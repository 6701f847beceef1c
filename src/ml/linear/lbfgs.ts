/** Limited-memory BFGS (Liu and Nocedal 1989) for smooth convex functions, one step at a time, resumable between steps. */
import { dot } from './design-matrix.ts';

/** Value at `x`; writes the gradient there. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

interface Correction {
  readonly step: Float64Array;
  readonly gradientChange: Float64Array;
  readonly inverseCurvature: number;
}

export interface LbfgsState {
  readonly x: Float64Array;
  readonly gradient: Float64Array;
  readonly value: number;
  readonly iteration: number;
  /** Oldest first. */
  readonly corrections: readonly Correction[];
  /** No step along the gradient lowers the value any more: rounding is the limit. */
  readonly stalled: boolean;
}

const MEMORY = 10;
const SUFFICIENT_DECREASE = 1e-4;
const MAX_HALVINGS = 40;

export function startLbfgs(objective: Objective, x: Float64Array): LbfgsState {
  const gradient = new Float64Array(x.length);
  const value = objective(x, gradient);
  return { x, gradient, value, iteration: 0, corrections: [], stalled: false };
}

export function largestComponent(vector: Float64Array): number {
  let largest = 0;
  for (const component of vector) largest = Math.max(largest, Math.abs(component));
  return largest;
}

/**
 * The state after one line search; the given one is left as it was.
 * @param inverseCurvatures - about one over the second derivative along each component, > 0: what makes components of
 * different scale converge together.
 */
export function stepLbfgs(
  objective: Objective,
  state: LbfgsState,
  inverseCurvatures: Float64Array,
): LbfgsState {
  let corrections = state.corrections;
  let direction = descentDirection(state.gradient, corrections, inverseCurvatures);
  let slope = dot(direction, state.gradient);
  if (!(slope < 0)) {
    corrections = [];
    direction = descentDirection(state.gradient, corrections, inverseCurvatures);
    slope = dot(direction, state.gradient);
  }
  let length = 1;
  const gradient = new Float64Array(state.x.length);
  for (let halving = 0; halving < MAX_HALVINGS; halving++, length /= 2) {
    const x = addScaled(state.x, direction, length);
    const value = objective(x, gradient);
    if (value <= state.value + SUFFICIENT_DECREASE * length * slope) {
      const next = remember(corrections, subtract(x, state.x), subtract(gradient, state.gradient));
      return {
        x,
        gradient,
        value,
        iteration: state.iteration + 1,
        corrections: next,
        stalled: value === state.value,
      };
    }
  }
  return { ...state, iteration: state.iteration + 1, stalled: true };
}

/** Two-loop recursion. */
function descentDirection(
  gradient: Float64Array,
  corrections: readonly Correction[],
  inverseCurvatures: Float64Array,
): Float64Array {
  const direction = gradient.map((component) => -component);
  const alphas = new Float64Array(corrections.length);
  for (let k = corrections.length - 1; k >= 0; k--) {
    const { step, gradientChange, inverseCurvature } = corrections[k]!;
    alphas[k] = inverseCurvature * dot(step, direction);
    for (let i = 0; i < direction.length; i++) direction[i]! -= alphas[k]! * gradientChange[i]!;
  }
  const scale = initialScale(corrections.at(-1), inverseCurvatures);
  for (let i = 0; i < direction.length; i++) direction[i]! *= scale * inverseCurvatures[i]!;
  for (let k = 0; k < corrections.length; k++) {
    const { step, gradientChange, inverseCurvature } = corrections[k]!;
    const beta = inverseCurvature * dot(gradientChange, direction);
    for (let i = 0; i < direction.length; i++) direction[i]! += (alphas[k]! - beta) * step[i]!;
  }
  return direction;
}

/** Makes the newest correction's curvature come out right (Nocedal and Wright 2006, equation 7.20, preconditioned). */
function initialScale(newest: Correction | undefined, inverseCurvatures: Float64Array): number {
  if (newest === undefined) return 1;
  let norm = 0;
  newest.gradientChange.forEach((change, i) => {
    norm += change * change * inverseCurvatures[i]!;
  });
  return 1 / (newest.inverseCurvature * norm);
}

function remember(
  corrections: readonly Correction[],
  step: Float64Array,
  gradientChange: Float64Array,
): readonly Correction[] {
  const curvature = dot(step, gradientChange);
  // Without positive curvature the update would lose positive definiteness.
  if (!(curvature > 1e-12 * dot(gradientChange, gradientChange))) return corrections;
  return [...corrections, { step, gradientChange, inverseCurvature: 1 / curvature }].slice(-MEMORY);
}

function addScaled(x: Float64Array, direction: Float64Array, length: number): Float64Array {
  return x.map((component, i) => component + length * direction[i]!);
}

function subtract(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((component, i) => component - b[i]!);
}

/** JSON-safe; numbers keep every bit. */
export function lbfgsToJSON(state: LbfgsState): unknown {
  return {
    x: Array.from(state.x),
    gradient: Array.from(state.gradient),
    value: state.value,
    iteration: state.iteration,
    stalled: state.stalled,
    corrections: state.corrections.map((correction) => ({
      step: Array.from(correction.step),
      gradientChange: Array.from(correction.gradientChange),
      inverseCurvature: correction.inverseCurvature,
    })),
  };
}

export function lbfgsFromJSON(json: unknown): LbfgsState {
  const state = json as {
    x: number[];
    gradient: number[];
    value: number;
    iteration: number;
    stalled: boolean;
    corrections: { step: number[]; gradientChange: number[]; inverseCurvature: number }[];
  };
  return {
    ...state,
    x: Float64Array.from(state.x),
    gradient: Float64Array.from(state.gradient),
    corrections: state.corrections.map((correction) => ({
      step: Float64Array.from(correction.step),
      gradientChange: Float64Array.from(correction.gradientChange),
      inverseCurvature: correction.inverseCurvature,
    })),
  };
}

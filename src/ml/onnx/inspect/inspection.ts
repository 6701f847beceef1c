/** What is known of a brought model that was not refused. */

export interface InspectedValue {
  readonly name: string;
  /** As ONNX calls it: float, double, int64, string, … */
  readonly elementType: string;
  /** -1 for the number of rows. */
  readonly shape: readonly number[];
}

export interface ModelSignature {
  /**
   * matrix: one tensor [N, F] holds all features; columns: one tensor [N, 1] or [N] a feature; tensors: several, of which
   * some hold more than one feature.
   */
  readonly rows: 'matrix' | 'columns' | 'tensors';
  readonly nFeatures: number;
  /** Names of outputs by what they mean; an output that none of them is stays nameless. */
  readonly label: string | undefined;
  readonly probabilities: string | undefined;
  readonly prediction: string | undefined;
  readonly task: 'classification' | 'regression' | undefined;
  /** In the order of the columns of probabilities, where the graph says it. */
  readonly classes: readonly (string | number)[] | undefined;
}

export interface Inspection {
  readonly kind: 'accepted';
  readonly producer: string;
  readonly irVersion: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly InspectedValue[];
  readonly outputs: readonly InspectedValue[];
  /** How many nodes there are of each operator, most frequent first. */
  readonly operators: Readonly<Record<string, number>>;
  /** Of weights: tensors and lists of attributes. */
  readonly parameterBytes: number;
  /** What a session of onnxruntime is expected to take. */
  readonly residentBytes: number;
  /** What one row is expected to take while it is predicted; a batch takes this for each. */
  readonly bytesPerRow: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly signature: ModelSignature;
}

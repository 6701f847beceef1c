import type { OnnxTensor } from '../read/onnx-model.ts';
import { elementCount, tensorNumbers } from '../read/tensor-numbers.ts';
import { MAX_RANK } from './limits.ts';
import { Refused, tooLarge } from './refusal.ts';
import { invalid } from './shape.ts';
import { Type, typeNames } from './value-facts.ts';

/** Weights are in the file, of a type that is taken, and as many as their dims say. */
export function requireTensor(tensor: OnnxTensor): void {
  const { name, elementType, raw, numbers, strings, isExternal } = tensor;
  if (isExternal)
    throw new Refused(
      'ONNX_EXTERNAL_DATA',
      `the weights "${name}" lie in another file`,
      'save everything in one file: onnx.save(onnx.load("model.onnx"), "one.onnx", save_as_external_data=False)',
    );
  if (typeNames[elementType] === undefined)
    throw invalid(`tensor "${name}"`, `the element type ${elementType} is not taken`);
  if (tensor.dims.length > MAX_RANK)
    throw tooLarge(`tensor "${name}"`, tensor.dims.length, MAX_RANK, 'dimensions');
  const count = elementCount(tensor);
  if (elementType === Type.string) {
    if (strings.length !== count)
      throw invalid(`tensor "${name}"`, `it holds ${strings.length} of ${count} texts`);
  } else if (elementType === Type.float16) {
    if ((raw?.length ?? 2 * numbers.length) !== 2 * count)
      throw invalid(`tensor "${name}"`, 'it holds another number of elements than its dims');
  } else tensorNumbers(tensor);
}

import { z } from 'zod';

/** Messages of the Open Inference Protocol V2 (KServe, Triton, Seldon). */

const Parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const integers = ['UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64'] as const;
const Datatype = z.enum(['BOOL', ...integers, 'FP16', 'FP32', 'FP64', 'BYTES']);
const Shape = z.array(z.int()).describe('-1 in metadata: the rows of a request');

const TensorMetadata = z.object({ name: z.string(), datatype: Datatype, shape: Shape });

export const ServerMetadata = z
  .object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) })
  .meta({ id: 'ServerMetadata' });
export const ServerLive = z.object({ live: z.boolean() }).meta({ id: 'ServerLive' });
export const ServerReady = z.object({ ready: z.boolean() }).meta({ id: 'ServerReady' });
export const ModelReady = z.object({ name: z.string(), ready: z.boolean() }).meta({ id: 'ModelReady' });

export const ModelMetadata = z
  .object({
    name: z.string(),
    versions: z.array(z.string()).describe('Those that serve'),
    platform: z.string(),
    inputs: z.array(TensorMetadata).describe('One a feature'),
    outputs: z.array(TensorMetadata),
  })
  .meta({ id: 'ModelTensors' });

export const InferRequest = z
  .object({
    id: z.string().optional(),
    parameters: Parameters.optional(),
    inputs: z
      .array(
        z.object({
          name: z.string(),
          shape: z.array(z.int().min(0)),
          datatype: Datatype,
          parameters: Parameters.optional(),
          data: z
            .array(z.unknown())
            .optional()
            .describe('Nested or flat, row-major; left out where the tensor is binary'),
        }),
      )
      .min(1)
      .describe('A tensor [N, 1] a feature, or one [N, nFeatures]'),
    outputs: z.array(z.object({ name: z.string(), parameters: Parameters.optional() })).optional(),
  })
  .meta({ id: 'InferRequest' });

export const InferResponse = z
  .object({
    model_name: z.string(),
    model_version: z.string(),
    id: z.string().optional(),
    parameters: Parameters.optional(),
    outputs: z.array(TensorMetadata.extend({ data: z.array(z.unknown()).optional() })),
  })
  .meta({ id: 'InferResponse' });

export const OpenInferenceError = z.object({ error: z.string() }).meta({ id: 'OpenInferenceError' });

import { z } from 'zod';
import { ClassLabel } from './class-label.ts';
import { ModelFramework } from './imported.ts';
import { JobId, ModelName } from './names.ts';
import { UploadLink } from './upload-link.ts';

/**
 * Largest file of an imported model, in bytes. A session takes about 6 times its file: 768 MiB of the 1,769 that the
 * function has, which leaves what the runtime takes and 512 for the tensors of a call.
 */
export const maxImportBytes = 128 * 1024 * 1024;

const Label = z.string().min(1).max(200);

/** Asks for a link to upload an ONNX file to. */
export const ImportRequest = z
  .strictObject({
    size_bytes: z
      .int()
      .min(1)
      .describe(`Exact size of the file, at most ${maxImportBytes}; the link accepts no other`),
    content_digest: z
      .string()
      .regex(/^sha-256=:[A-Za-z0-9+/]{43}=:$/, 'must be sha-256=:BASE64: (RFC 9530)')
      .optional()
      .describe('Of the file, as RFC 9530 writes it; a file with another one is refused'),
    task: z
      .enum(['classification', 'regression'])
      .optional()
      .describe('Has to be what the graph does; read from it when left out'),
    classes: z
      .array(ClassLabel)
      .min(2)
      .max(10_000)
      .optional()
      .describe('In the order of the columns of probabilities; those of the graph when left out'),
    feature_names: z
      .array(Label)
      .min(1)
      .max(10_000)
      .optional()
      .describe("One a feature; the names of the graph's inputs, or x0, x1, … when left out"),
    feature_types: z
      .array(z.enum(['number', 'boolean', 'category']))
      .min(1)
      .max(10_000)
      .optional()
      .describe('One a feature; category for texts, else number, when left out'),
    framework: ModelFramework.default('onnx').describe('What trained the model'),
    description: z.string().max(2_000).optional(),
    deploy: z.boolean().default(false).describe('Send predictions to it when it has passed'),
  })
  .meta({ id: 'ImportRequest' });
export type ImportRequest = z.infer<typeof ImportRequest>;

export const ImportUpload = UploadLink.meta({ id: 'ImportUpload' });
export type ImportUpload = z.infer<typeof ImportUpload>;

export const ImportStarted = z
  .object({ job_id: JobId, status: z.literal('queued'), model_name: ModelName })
  .meta({ id: 'ImportStarted' });

/**
 * Every error code of Engram: what it means, what to do, whether a retry can help, and its HTTP status where an API
 * answers with it. docs/errors.md is tested against this table in both directions. One file per area under `codes/`, so
 * that an area owns its codes.
 */
import { dataCodes } from './codes/data.ts';
import { dicomCodes } from './codes/dicom.ts';
import { fhirCodes } from './codes/fhir.ts';
import { imagingCodes } from './codes/imaging.ts';
import { platformCodes } from './codes/platform.ts';
import { predictionCodes } from './codes/prediction.ts';
import { runCodes } from './codes/runs.ts';

export interface ErrorEntry {
  readonly title: string;
  readonly action: string;
  readonly retryable: boolean;
  readonly status: number;
}

export const catalogue = {
  ...platformCodes,
  ...dataCodes,
  ...dicomCodes,
  ...imagingCodes,
  ...fhirCodes,
  ...runCodes,
  ...predictionCodes,
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof catalogue;

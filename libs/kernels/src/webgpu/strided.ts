import type { Kernel, Values } from './shader.ts';

/**
 * Elements that one invocation of a reduction takes: `i`, `i + count`, `i + 2 count`, … so that neighbours read
 * neighbours, in an order that depends on the length alone. No barrier: partial results are added on the host.
 */
const EACH = 64;

export const stridedParameters: Kernel['parameters'] = { length: 'i32' };

export const stridedInvocations = (length: number): number => Math.ceil(length / EACH);

export const stridedValues = (length: number): Values => ({ length });

import { EngramError } from '@engram/errors';

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;

export function outOfMemory(wanted: number, used: number, ceiling: number): EngramError {
  return new EngramError(
    'DEVICE_OUT_OF_MEMORY',
    `The device cannot give ${mebibytes(wanted)} more: ${mebibytes(used)} of ${mebibytes(ceiling)} are in use`,
  );
}

export function tooLargeForBinding(wanted: number, most: number): EngramError {
  return new EngramError(
    'DEVICE_OUT_OF_MEMORY',
    `A kernel of this graphics device reads at most ${mebibytes(most)} from one buffer, and ${mebibytes(wanted)} are needed`,
  );
}

export function invalidBuffer(why: string): EngramError {
  return new EngramError('DEVICE_BUFFER_INVALID', `A device buffer ${why}`);
}

/** `--device` and `--threads` as the engine understands them. */
import { EngramError } from '@engram/errors';
import { type DeviceOptions, listDevices } from '@engram/kernels';

export interface DeviceFlags {
  readonly device?: string;
  readonly threads?: string;
}

/** What a person asks for; the backends' own names are understood too. */
const MEANS: Readonly<Record<string, readonly string[]>> = { cpu: ['wasm', 'scalar'], gpu: ['webgpu'] };

/** @throws DEVICE_UNAVAILABLE naming what there is. */
export function deviceOptions({ device = 'auto', threads }: DeviceFlags): DeviceOptions {
  const count = threads === undefined ? {} : { threads: Number(threads) };
  if (device === 'auto') return count;
  const listed = listDevices();
  const wanted = MEANS[device] ?? [device];
  const found = listed.find(({ backend, available }) => available && wanted.includes(backend));
  if (found) return { ...count, backend: found.backend };
  const reason = listed.find(({ backend }) => wanted.includes(backend))?.reason ?? 'there is none here';
  const names = listed.filter(({ available }) => available).map(({ backend }) => backend);
  throw new EngramError('DEVICE_UNAVAILABLE', `no ${device} device: ${reason}; available: ${names.join(', ')}`, {
    field: 'device',
  });
}

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
export async function deviceOptions({ device = 'auto', threads }: DeviceFlags): Promise<DeviceOptions> {
  const count = threads === undefined ? {} : { threads: Number(threads) };
  if (device === 'auto') return count;
  const listed = await listDevices();
  const wanted = listed.filter(({ backend }) => (MEANS[device] ?? [device]).includes(backend));
  // Who says gpu means one; who names the backend takes its software driver too.
  const found = wanted.find(({ available, software }) => available && !(software && device === 'gpu'));
  if (found) return { ...count, backend: found.backend };
  const [unfit] = wanted;
  const reason = unfit?.reason ?? (unfit ? `${unfit.name} is software` : 'there is none here');
  const names = listed.filter(({ available }) => available).map(({ backend }) => backend);
  throw new EngramError('DEVICE_UNAVAILABLE', `no ${device} device: ${reason}; available: ${names.join(', ')}`, {
    field: 'device',
  });
}

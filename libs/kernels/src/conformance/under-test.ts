/** A backend under test. */
import { expect } from 'vitest';
import type { Device, Field, Shape } from '../device.ts';
import { SHAPES, size, type Triple } from './oracle.ts';

export interface Tolerances {
  /** Of the mean local correlation. */
  readonly correlation: number;
}

export interface UnderTest {
  readonly tolerances: Tolerances;
  readonly open: () => Promise<Device>;
  /** Runs with a fresh device; every buffer must be gone when its scope is. */
  withDevice(work: (device: Device) => Promise<void>): Promise<void>;
  eachShape(work: (device: Device, shape: Shape, n: number) => Promise<void>): Promise<void>;
}

export const upload = (device: Device, u: Triple): Field => [
  device.upload(u[0]),
  device.upload(u[1]),
  device.upload(u[2]),
];
export const field = (device: Device, n: number): Field => [device.alloc(n), device.alloc(n), device.alloc(n)];

export function underTest(open: () => Promise<Device>, tolerances: Tolerances): UnderTest {
  const withDevice = async (work: (device: Device) => Promise<void>) => {
    const device = await open();
    try {
      await device.scope(() => work(device));
      expect(device.memory().bytes).toBe(0);
    } finally {
      await device.close();
    }
  };
  return {
    tolerances,
    open,
    withDevice,
    eachShape: (work) =>
      withDevice(async (device) => {
        for (const shape of SHAPES) await device.scope(() => work(device, shape, size(shape)));
      }),
  };
}

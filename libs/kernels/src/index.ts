/**
 * Voxel kernels behind one device interface: a folder a backend with equal file names.
 *
 * @example
 * const device = await openDevice();
 * const smooth = device.alloc(data.length);
 * device.kernels.gaussian(device.upload(data), shape, [1, 1, 1], smooth);
 * const result = await device.download(smooth);
 * @module
 */
export type * from './device.ts';
export { type DeviceListing, type DeviceOptions, listDevices, openDevice } from './open-device.ts';

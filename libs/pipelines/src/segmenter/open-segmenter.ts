/** A segmenter's folder, checked; and the network in it, ready to answer. */
import { EngramError } from '@engram/errors';
import { readModelFolder } from '@engram/onnx';
import type { Shape3 } from '@engram/volume';
import { digestOf } from '../canonical-json.ts';
import { type SegmenterManifest, segmenterManifest } from './manifest.ts';

export interface SegmenterFolder {
  readonly dir: string;
  readonly manifest: SegmenterManifest;
  /** Of the manifest's canonical JSON, which holds the network's own sha256: names every byte that matters. */
  readonly sha256: string;
}

export interface Segmenter {
  readonly manifest: SegmenterManifest;
  /**
   * @param image values along R, A, S with R fastest, normalised as the manifest says
   * @param shape R, A, S; multiples of the manifest's divisor
   * @returns one map a channel, in the order of the image
   * @throws MODEL_INVALID when the network gives anything else
   */
  posteriors(image: Float32Array, shape: Shape3): Promise<readonly Float32Array[]>;
  close(): Promise<void>;
}

/** @throws MODEL_INVALID naming the manifest's field; MODEL_CORRUPT when the network is not the manifest's. */
export async function checkSegmenter(dir: string): Promise<SegmenterFolder> {
  const { manifest } = await readModelFolder(dir, segmenterManifest);
  return { dir, manifest, sha256: digestOf(manifest) };
}

/**
 * @param threads of the runtime
 * @throws as `checkSegmenter`, and MODEL_INVALID when the runtime cannot load the network or its golden case comes out otherwise
 */
export async function openSegmenter(dir: string, threads = 1): Promise<Segmenter> {
  const { manifest, bytes } = await readModelFolder(dir, segmenterManifest);
  const { file, input, output } = manifest;
  // Loaded here and not above: a run without a segmenter needs no runtime of neural networks.
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const refuse = (message: string, more: { readonly field?: string; readonly cause?: unknown } = {}): EngramError =>
    new EngramError('MODEL_INVALID', `${file}: ${message}`, { file, ...more });
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // The arena would keep the largest run's memory for ever.
    enableCpuMemArena: false,
  }).catch((cause: unknown) => {
    throw refuse('the runtime cannot load it', { cause });
  });

  const posteriors: Segmenter['posteriors'] = async (image, [nx, ny, nz]) => {
    const feeds = { [input.name]: new Tensor('float32', image, [1, 1, nz, ny, nx]) };
    const answer = await session.run(feeds, [output.name]).catch((cause: unknown) => {
      throw refuse(`it does not turn ${input.name} into ${output.name}`, { field: 'output.name', cause });
    });
    const { data, dims } = answer[output.name];
    const wanted = [1, output.labels.length, nz, ny, nx];
    if (!(data instanceof Float32Array) || dims.join() !== wanted.join())
      throw refuse(`${output.name} is [${dims}] and not float32 [${wanted}]`, { field: 'output.labels' });
    return output.labels.map((_, channel) => data.subarray(channel * image.length, (channel + 1) * image.length));
  };

  const segmenter: Segmenter = { manifest, posteriors, close: () => session.release() };
  try {
    await checkGolden(segmenter);
  } catch (error) {
    await segmenter.close();
    throw error;
  }
  return segmenter;
}

async function checkGolden({ manifest, posteriors }: Segmenter): Promise<void> {
  const { shape, every, values, tolerance } = manifest.golden;
  const [nz, ny, nx] = shape;
  const image = Float32Array.from({ length: nx * ny * nz }, (_, i) => ((7919 * i) % 1000) / 999);
  const maps = await posteriors(image, [nx, ny, nz]);
  const total = maps.length * image.length;
  const off = values.findIndex((value, k) => {
    const at = k * every;
    return !(Math.abs(maps[Math.floor(at / image.length)]?.[at % image.length] - value) <= tolerance);
  });
  if (off < 0 && values.length === Math.ceil(total / every)) return;
  throw new EngramError('MODEL_INVALID', `${manifest.file} does not reproduce the golden case of its manifest`, {
    file: manifest.file,
    field: off < 0 ? 'golden.values' : `golden.values.${off}`,
  });
}

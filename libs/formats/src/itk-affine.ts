/**
 * ITK's text transforms. A transform takes a point of the fixed image to the moving one, in LPS mm, about a centre:
 * y = M (x - c) + c + t. In memory it is one RAS mm affine, fixed to moving.
 */
import { EngramError } from '@engram/errors';
import { type Affine, affineOf, flipLpsTransform, invertAffine, type Matrix3 } from '@engram/volume';

/** Same parameters under several names: nine of the matrix by rows, three of the translation. */
const MATRIX_TYPES = new Set([
  'AffineTransform',
  'MatrixOffsetTransformBase',
  'Rigid3DTransform',
  'ScalableAffineTransform',
]);

const LARGEST_FILE = 1 << 16;

/**
 * @param name what to call the file in messages.
 * @returns RAS mm, fixed to moving.
 * @throws TRANSFORM_INVALID when it is not one 3D matrix transform, is singular or holds what is no number.
 */
export function readItkAffine(text: string, { name = 'transform' }: { readonly name?: string } = {}): Affine {
  const fail = (why: string) => new EngramError('TRANSFORM_INVALID', `${name}: ${why}`, { file: name });
  if (text.length > LARGEST_FILE || !text.startsWith('#Insight Transform File V1')) {
    throw fail('not an ITK text transform');
  }
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (line.startsWith('#') || colon < 0) continue;
    const key = line.slice(0, colon).trim();
    if (values.has(key)) throw fail('holds more than one transform');
    values.set(key, line.slice(colon + 1).trim());
  }
  const type = values.get('Transform') ?? '';
  const [kind, , input, output] = type.split('_');
  if (!MATRIX_TYPES.has(kind) || input !== '3' || output !== '3') throw fail(`'${type.slice(0, 60)}' is not handled`);
  const numbers = (key: string, count: number): readonly number[] => {
    const list = (values.get(key) ?? '').split(/\s+/).filter(Boolean).map(Number);
    if (list.length !== count || !list.every(Number.isFinite)) throw fail(`${key} must be ${count} numbers`);
    return list;
  };
  const p = numbers('Parameters', 12);
  const c = numbers('FixedParameters', 3);
  const m: Matrix3 = [p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8]];
  const offset = (row: number) =>
    p[9 + row] + c[row] - (m[row * 3] * c[0] + m[row * 3 + 1] * c[1] + m[row * 3 + 2] * c[2]);
  const lps = affineOf(m, [offset(0), offset(1), offset(2)]);
  try {
    invertAffine(lps);
  } catch (cause) {
    throw new EngramError('TRANSFORM_INVALID', `${name}: its matrix is singular`, { file: name, cause });
  }
  return flipLpsTransform(lps);
}

/**
 * @param affine RAS mm, fixed to moving.
 * @param center RAS mm about which the text says it turns; the transform is the same for any.
 */
export function writeItkAffine(affine: Affine, center: readonly [number, number, number] = [0, 0, 0]): string {
  const a = flipLpsTransform(affine);
  const c = [-center[0], -center[1], center[2]];
  const translation = [0, 1, 2].map(
    (row) => a[row * 4 + 3] - c[row] + a[row * 4] * c[0] + a[row * 4 + 1] * c[1] + a[row * 4 + 2] * c[2],
  );
  const matrix = [a[0], a[1], a[2], a[4], a[5], a[6], a[8], a[9], a[10]];
  // -0 would print as "0" in one place and "-0" in another.
  const print = (list: readonly number[]) => list.map((value) => String(value === 0 ? 0 : value)).join(' ');
  return [
    '#Insight Transform File V1.0',
    '#Transform 0',
    'Transform: AffineTransform_double_3_3',
    `Parameters: ${print([...matrix, ...translation])}`,
    `FixedParameters: ${print(c)}`,
    '',
  ].join('\n');
}

import { EngramError } from '@engram/errors';
import { type DicomElements, dicomFile, dicomSlice } from '@engram/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instanceOf, isDicom, sanitisePreamble } from './index.ts';
import { readDataset } from './read-dataset.ts';
import { decodeRle } from './rle.ts';

const slice = dicomSlice({ instance: 1, position: [0, 0, 0] });

test('sequences nested without end are refused, not overflowed', () => {
  let nested: Buffer = Buffer.alloc(0);
  const open = Buffer.from([
    0x08, 0x00, 0x40, 0x11, 0x53, 0x51, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff,
  ]);
  nested = Buffer.concat(Array.from({ length: 20_000 }, () => open));
  const bytes = Buffer.concat([dicomFile({}), nested]);
  expect(() => readDataset(bytes, 'deep.dcm')).toThrow(
    expect.objectContaining({ code: 'DICOM_INVALID', file: 'deep.dcm' }),
  );
});

test('an element longer than the file is a truncated header, not a string thrown later', () => {
  const cut = Uint8Array.from(slice.subarray(0, 268));
  cut[241] = 0;
  expect(() => readDataset(cut, 'cut.dcm')).toThrow(
    expect.objectContaining({ code: 'DICOM_TRUNCATED', file: 'cut.dcm' }),
  );
});

test('a deflated file is refused without inflating it', () => {
  const bytes = dicomFile({ '00080060': ['CS', 'MR'] }, '1.2.840.10008.1.2.1.99');
  expect(() => readDataset(bytes, 'd.dcm')).toThrow(expect.objectContaining({ code: 'DICOM_UNSUPPORTED' }));
});

test('any change of bytes gives facts or a coded error that names the file, and never quotes the person', () => {
  const more: DicomElements = {
    '00540016': ['SQ', [{ '00180031': ['LO', 'FDG'], '00540304': ['SQ', [{ '00080100': ['SH', 'C-B1031'] }]] }]],
    '52009230': ['SQ', [{ '00209113': ['SQ', [{ '00200032': ['DS', '0\\0\\1'] }]] }]],
  };
  const source = dicomSlice({ instance: 1, position: [0, 0, 0], more });
  const edit = fc.record({
    at: fc.integer({ min: 0, max: source.length - 1 }),
    value: fc.integer({ min: 0, max: 255 }),
  });
  fc.assert(
    fc.property(
      fc.array(edit, { maxLength: 6 }),
      fc.integer({ min: 0, max: source.length }),
      fc.boolean(),
      (edits, cut, whole) => {
        const bytes = Uint8Array.from(source);
        for (const { at, value } of edits) bytes[at] = value;
        try {
          const { attributes } = readDataset(whole ? bytes : bytes.subarray(0, cut), 'mutant.dcm');
          const instance = instanceOf(attributes, 'mutant.dcm');
          expect(instance.planes.length).toBeGreaterThan(0);
        } catch (error) {
          if (!(error instanceof EngramError)) throw error;
          expect(error.file).toBe('mutant.dcm');
          expect(error.message).not.toContain('CANARY');
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test('the preamble of a DICOM file is zeroed; other files are left alone', () => {
  const bytes = Uint8Array.from(slice);
  bytes.set([0x4d, 0x5a], 0);
  expect([...sanitisePreamble(bytes)]).toEqual([...slice]);
  const other = Uint8Array.of(0x4d, 0x5a, 1);
  expect([...sanitisePreamble(other)]).toEqual([0x4d, 0x5a, 1]);
  expect(isDicom(other)).toBe(false);
});

/** PackBits as the standard words it, one literal run at a time. */
function packed(plane: readonly number[]): Buffer {
  const out: number[] = [];
  for (let i = 0; i < plane.length; ) {
    let run = 1;
    while (i + run < plane.length && plane[i + run] === plane[i] && run < 128) run++;
    if (run > 1) out.push(257 - run, plane[i]);
    else out.push(0, plane[i]);
    i += run;
  }
  return Buffer.from(out);
}

test('RLE gives back any 16-bit pixels', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(0, 1, 255, 256, 0x1234, 65535), { minLength: 1, maxLength: 400 }),
      (pixels) => {
        const [high, low] = [pixels.map((p) => p >> 8), pixels.map((p) => p & 255)].map(packed);
        const head = Buffer.alloc(64);
        head.writeUInt32LE(2, 0);
        head.writeUInt32LE(64, 4);
        head.writeUInt32LE(64 + high.length, 8);
        const out = decodeRle(Buffer.concat([head, high, low]), pixels.length, 2, 'x.dcm');
        expect(pixels.map((_, i) => out[2 * i] | (out[2 * i + 1] << 8))).toEqual(pixels);
      },
    ),
  );
});

test('RLE of any bytes is pixels or a coded error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      if (bytes.length > 3) bytes.set([2, 0, 0, 0]);
      try {
        expect(decodeRle(bytes, 64, 2, 'x.dcm').length).toBe(128);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^DICOM_/), file: 'x.dcm' });
      }
    }),
    { numRuns: 1000 },
  );
});

/** Writes small DICOM files (explicit VR, little endian) for tests: what no public data set holds. */

export type DicomVr =
  | 'CS'
  | 'DA'
  | 'DS'
  | 'DT'
  | 'FD'
  | 'IS'
  | 'LO'
  | 'OB'
  | 'OW'
  | 'PN'
  | 'SH'
  | 'SQ'
  | 'TM'
  | 'UI'
  | 'US';

/** Eight hexadecimal digits to VR and value: text, numbers of a binary VR, bytes, or the items of a sequence. */
export type DicomElements = Readonly<
  Record<string, readonly [DicomVr, string | readonly number[] | Uint8Array | readonly DicomElements[]]>
>;

const LONG = new Set<DicomVr>(['OB', 'OW', 'SQ']);

function encode(vr: DicomVr, value: DicomElements[string][1]): Buffer {
  if (typeof value === 'string') {
    const padded = value.length % 2 === 0 ? value : value + (vr === 'UI' ? '\0' : ' ');
    return Buffer.from(padded, 'latin1');
  }
  if (value instanceof Uint8Array) return Buffer.concat([value, Buffer.alloc(value.length % 2)]);
  return Buffer.concat(
    value.map((one) => {
      if (typeof one === 'number') {
        const bytes = Buffer.alloc(vr === 'FD' ? 8 : 2);
        if (vr === 'FD') bytes.writeDoubleLE(one);
        else bytes.writeUInt16LE(one);
        return bytes;
      }
      const body = elements(one);
      const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
      head.writeUInt32LE(body.length, 4);
      return Buffer.concat([head, body]);
    }),
  );
}

function elements(dataset: DicomElements): Buffer {
  const parts = Object.keys(dataset)
    .sort()
    .map((tag) => {
      const [vr, value] = dataset[tag];
      const body = encode(vr, value);
      const head = Buffer.alloc(LONG.has(vr) ? 12 : 8);
      head.writeUInt16LE(Number.parseInt(tag.slice(0, 4), 16), 0);
      head.writeUInt16LE(Number.parseInt(tag.slice(4), 16), 2);
      head.write(vr, 4, 'latin1');
      if (LONG.has(vr)) head.writeUInt32LE(body.length, 8);
      else head.writeUInt16LE(body.length, 6);
      return Buffer.concat([head, body]);
    });
  return Buffer.concat(parts);
}

/** Bytes of a DICOM file with its meta header. */
export function dicomFile(dataset: DicomElements, transferSyntax = '1.2.840.10008.1.2.1'): Buffer {
  const sopClass = dataset['00080016']?.[1];
  const sopUid = dataset['00080018']?.[1];
  const meta = elements({
    '00020001': ['OB', Uint8Array.of(0, 1)],
    '00020002': ['UI', typeof sopClass === 'string' ? sopClass : '1.2.840.10008.5.1.4.1.1.4'],
    '00020003': ['UI', typeof sopUid === 'string' ? sopUid : '1.2.3'],
    '00020010': ['UI', transferSyntax],
    '00020012': ['UI', '1.2.3.4'],
  });
  const length = Buffer.from([2, 0, 0, 0, 0x55, 0x4c, 4, 0, 0, 0, 0, 0]);
  length.writeUInt32LE(meta.length, 8);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), length, meta, elements(dataset)]);
}

export interface SliceOptions {
  readonly modality?: 'MR' | 'PT' | 'CT';
  readonly series?: string;
  readonly instance: number;
  readonly rows?: number;
  readonly columns?: number;
  /** LPS mm. */
  readonly position: readonly [number, number, number];
  readonly orientation?: readonly number[];
  readonly pixels?: readonly number[];
  readonly more?: DicomElements;
}

/** One classic 16-bit slice, 1 mm pixels, 4 x 4 unless said. */
export function dicomSlice(options: SliceOptions): Buffer {
  const { modality = 'MR', rows = 4, columns = 4, instance, position, series = '1.2.826.0.1.1' } = options;
  const classes = {
    MR: '1.2.840.10008.5.1.4.1.1.4',
    PT: '1.2.840.10008.5.1.4.1.1.128',
    CT: '1.2.840.10008.5.1.4.1.1.2',
  };
  const pixels = options.pixels ?? Array.from({ length: rows * columns }, (_, i) => i + instance * 100);
  const bytes = Buffer.alloc(rows * columns * 2);
  for (const [index, value] of pixels.entries()) bytes.writeUInt16LE(value, index * 2);
  return dicomFile({
    '00080008': ['CS', 'ORIGINAL\\PRIMARY\\M'],
    '00080016': ['UI', classes[modality]],
    '00080018': ['UI', `${series}.${instance}`],
    '00080020': ['DA', '20240115'],
    '00080060': ['CS', modality],
    '00100010': ['PN', 'CANARY^NAME'],
    '00100020': ['LO', 'CANARY-ID'],
    '00180050': ['DS', '1'],
    '0020000d': ['UI', '1.2.826.0.1'],
    '0020000e': ['UI', series],
    '00200011': ['IS', '7'],
    '00200013': ['IS', String(instance)],
    '00200032': ['DS', position.join('\\')],
    '00200037': ['DS', (options.orientation ?? [1, 0, 0, 0, 1, 0]).join('\\')],
    '00280002': ['US', [1]],
    '00280004': ['CS', 'MONOCHROME2'],
    '00280010': ['US', [rows]],
    '00280011': ['US', [columns]],
    '00280030': ['DS', '1\\1'],
    '00280100': ['US', [16]],
    '00280101': ['US', [16]],
    '00280102': ['US', [15]],
    '00280103': ['US', [0]],
    '7fe00010': ['OW', bytes],
    ...options.more,
  });
}

/** Attributes of one instance, from a file (dicom-parser) or from DICOMweb metadata (DICOM JSON), read the same way. */
import type dicomParser from 'dicom-parser';
import type { Tag } from './tags.ts';

export interface Attributes {
  /** Every value as trimmed text; empty where the attribute is absent. */
  strings(tag: Tag): readonly string[];
  /** Every value as a number; what is none is left out. */
  numbers(tag: Tag): readonly number[];
  /** Items of a sequence. */
  items(tag: Tag): readonly Attributes[];
}

export const first = <T>(values: readonly T[]): T | null => values[0] ?? null;

const finite = (values: readonly number[]): readonly number[] => values.filter(Number.isFinite);

const BINARY_BYTES: Readonly<Record<string, number>> = { US: 2, UL: 4, FD: 8 };

/** Over a parsed file. Values in text VRs are read as Latin-1: only ASCII ones are used. */
export function attributesOfDataSet(dataSet: dicomParser.DataSet): Attributes {
  // An element whose length runs past the file is seen only when it is read: dicom-parser then throws a string.
  const within = (element: dicomParser.Element | undefined): element is dicomParser.Element =>
    element !== undefined && element.dataOffset + element.length <= dataSet.byteArray.length;
  const strings = (tag: Tag): readonly string[] => {
    if (!within(dataSet.elements[`x${tag.id}`])) return [];
    const raw = dataSet.string(`x${tag.id}`);
    if (raw === undefined) return [];
    return raw.split('\\').map((value) => value.replace(/\0/g, '').trim());
  };
  const binary = (tag: Tag): readonly number[] => {
    const element = dataSet.elements[`x${tag.id}`];
    if (!within(element)) return [];
    const count = Math.min(64, Math.floor(element.length / (BINARY_BYTES[tag.vr] ?? 1)));
    const one = (index: number): number => {
      const id = `x${tag.id}`;
      if (tag.vr === 'US') return dataSet.uint16(id, index) ?? Number.NaN;
      if (tag.vr === 'UL') return dataSet.uint32(id, index) ?? Number.NaN;
      return dataSet.double(id, index) ?? Number.NaN;
    };
    return finite(Array.from({ length: count }, (_, index) => one(index)));
  };
  return {
    strings,
    numbers: (tag) => (tag.vr in BINARY_BYTES ? binary(tag) : finite(strings(tag).filter(Boolean).map(Number))),
    items: (tag) =>
      (dataSet.elements[`x${tag.id}`]?.items ?? []).flatMap((item) =>
        item.dataSet === undefined ? [] : [attributesOfDataSet(item.dataSet)],
      ),
  };
}

/** DICOM JSON model (PS3.18 F): `{"00080060": {"vr": "CS", "Value": ["MR"]}}`. */
export function attributesOfJson(json: unknown): Attributes {
  const values = (tag: Tag): readonly unknown[] => {
    const element = propertyOf(json, tag.id) ?? propertyOf(json, tag.id.toUpperCase());
    const value = propertyOf(element, 'Value');
    return Array.isArray(value) ? value : [];
  };
  return {
    strings: (tag) =>
      values(tag).flatMap((value) =>
        typeof value === 'string' ? [value.trim()] : typeof value === 'number' ? [String(value)] : [],
      ),
    numbers: (tag) =>
      finite(
        values(tag).flatMap((value) =>
          typeof value === 'number' ? [value] : typeof value === 'string' && value.trim() !== '' ? [Number(value)] : [],
        ),
      ),
    items: (tag) => values(tag).map(attributesOfJson),
  };
}

function propertyOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}

/** Check digits of LOINC and SNOMED CT: a mistyped code is caught before it misleads a reader. */

/**
 * LOINC's modulo 10 (Luhn): from the right, every second digit starting with the last is doubled.
 * Source: LOINC Users' Guide, appendix "Calculating mod 10 check digits".
 * @example loincIsValid('72106-8') // true
 */
export function loincIsValid(code: string): boolean {
  const parts = /^(\d{1,7})-(\d)$/.exec(code);
  if (!parts) return false;
  const [, digits = '', check] = parts;
  const sum = [...digits].reverse().reduce((total, digit, i) => {
    const value = i % 2 === 0 ? Number(digit) * 2 : Number(digit);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return (10 - (sum % 10)) % 10 === Number(check);
}

/** Multiplication in the dihedral group D5 and Verhoeff's permutation. Source: J. Verhoeff, 1969. */
const D5 = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
  [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
  [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
  [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
  [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
  [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
  [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
  [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
  [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
] as const;
const PERMUTATION = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4] as const;

const permute = (digit: number, times: number): number =>
  times === 0 ? digit : permute(PERMUTATION[digit] ?? 0, times - 1);

/**
 * SNOMED CT identifiers: 6 to 18 digits that Verhoeff's scheme takes to 0.
 * Source: SNOMED CT Release File Specifications, "Check-digit".
 * @example snomedIsValid('447316007') // true
 */
export function snomedIsValid(code: string): boolean {
  if (!/^[1-9]\d{5,17}$/.test(code)) return false;
  const check = [...code].reverse().reduce((c, digit, i) => D5[c]?.[permute(Number(digit), i % 8)] ?? 0, 0);
  return check === 0;
}

// Equations in docs/algorithms/kernels.md. Two passes over the volume: `lnccSums` gives p, q and q*m0 - p*f0 of every
// window, `lnccForce` sums them over the windows that hold a voxel, which a symmetric window makes a box sum again. Of each row
// only what a window of the mask touches is worked on: `own` are the extents of the rows that come out, `wanted` those of the rows
// summed in a plane, `along` those of the rows' own sums.
import { boxTile, overlap, sumRows, TILE } from './box';
import { clearBut, firstOf, lastOf } from './extents';
import { add, laneMask, laneSum, larger, mul, smaller, splat, storeLanes, sub } from './vector';

/** One plane an item; `mask` 0 for none. Each plane's sum of E and count of windows go to `partials`. */
export function lnccSums(
  fixed: usize, moving: usize, mask: usize, own: usize, wanted: usize, along: usize, p: usize, q: usize, c: usize, partials: usize,
  nx: i32, ny: i32, nz: i32, radius: i32, epsilon: f32, from: i32, to: i32, scratch: usize,
): void {
  const row = <usize>nx << 2;
  const plane = row * ny;
  const tile = row * TILE + 64;
  const width = 2 * radius + 1;
  const depth = 5 * tile;
  const counts = scratch;
  const lines = counts + row + 64;
  const padded = lines + row * (TILE + 2 * radius) + 64;
  const ring = padded + row + (<usize>radius << 3) + 128;
  for (let x = 0; x < nx; x++) store<f32>(counts + (<usize>x << 2), <f32>1 / <f32>overlap(x, nx, radius));
  const e = splat(epsilon);
  for (let top = 0; top < ny; top += TILE) {
    const rows = smaller(TILE, ny - top);
    for (let z = from - radius; z < to + radius; z++) {
      // By the plane's number and not by the order of work, so that sums do not depend on where an item began.
      const slot = ring + ((z + width * 2) % width) * depth;
      if (z < 0 || z >= nz) memory.fill(slot, 0, depth);
      else {
        const w = wanted + (<usize>(z * ny) << 3);
        const l = along + (<usize>(z * ny) << 3);
        const f = fixed + z * plane;
        const m = moving + z * plane;
        boxTile(f, 0, slot, lines, padded, nx, ny, top, rows, radius, w, l);
        boxTile(m, 0, slot + tile, lines, padded, nx, ny, top, rows, radius, w, l);
        boxTile(f, f, slot + 2 * tile, lines, padded, nx, ny, top, rows, radius, w, l);
        boxTile(m, m, slot + 3 * tile, lines, padded, nx, ny, top, rows, radius, w, l);
        boxTile(f, m, slot + 4 * tile, lines, padded, nx, ny, top, rows, radius, w, l);
      }
      const here = z - radius;
      if (here < from) continue;
      let total: f64 = 0;
      let centres: f64 = 0;
      for (let k = 0; k < rows; k++) {
        const line = here * plane + (top + k) * row;
        const extent = own + (<usize>(here * ny + top + k) << 3);
        clearBut(p + line, extent, nx);
        clearBut(q + line, extent, nx);
        clearBut(c + line, extent, nx);
        const share = splat(<f32>1 / <f32>(overlap(top + k, ny, radius) * overlap(here, nz, radius)));
        let sum = f32x4.splat(0);
        let count = f32x4.splat(0);
        for (let x = firstOf(extent); x < lastOf(extent); x += 4) {
          const at = <usize>x << 2;
          const s = ring + k * row + at;
          const inverse = mul(share, v128.load(counts + at));
          const sf = sumRows(s, depth, width);
          const sm = sumRows(s + tile, depth, width);
          const f0 = mul(sf, inverse);
          const m0 = mul(sm, inverse);
          const ff = add(sub(sumRows(s + 2 * tile, depth, width), mul(sf, f0)), e);
          const mm = add(sub(sumRows(s + 3 * tile, depth, width), mul(sm, m0)), e);
          const fm = sub(sumRows(s + 4 * tile, depth, width), mul(sf, m0));
          let pv = f32x4.div(f32x4.abs(fm), mul(ff, mm));
          let inMask = laneMask(nx - x);
          if (mask) inMask = v128.and(inMask, f32x4.gt(v128.load(mask + line + at), f32x4.splat(0)));
          pv = v128.and(pv, inMask);
          const ev = mul(fm, pv);
          const qv = v128.and(f32x4.div(ev, mm), inMask);
          sum = add(sum, v128.and(ev, inMask));
          count = add(count, v128.and(splat(1), inMask));
          storeLanes(p + line + at, pv, nx - x);
          storeLanes(q + line + at, qv, nx - x);
          storeLanes(c + line + at, sub(mul(qv, m0), mul(pv, f0)), nx - x);
        }
        total += <f64>laneSum(sum);
        centres += <f64>laneSum(count);
      }
      const partial = partials + (<usize>here << 4);
      store<f64>(partial, load<f64>(partial) + total);
      store<f64>(partial, load<f64>(partial, 8) + centres, 8);
    }
  }
}

/** One plane an item: the derivative times the central differences of the moving image. */
export function lnccForce(
  fixed: usize, moving: usize, own: usize, wanted: usize, along: usize, p: usize, q: usize, c: usize, gx: usize, gy: usize, gz: usize,
  nx: i32, ny: i32, nz: i32, radius: i32, from: i32, to: i32, scratch: usize,
): void {
  const row = <usize>nx << 2;
  const plane = row * ny;
  const tile = row * TILE + 64;
  const width = 2 * radius + 1;
  const depth = 3 * tile;
  const repeated = scratch;
  const lines = repeated + row + 128;
  const padded = lines + row * (TILE + 2 * radius) + 64;
  const ring = padded + row + (<usize>radius << 3) + 128;
  for (let top = 0; top < ny; top += TILE) {
    const rows = smaller(TILE, ny - top);
    for (let z = from - radius; z < to + radius; z++) {
      const slot = ring + ((z + width * 2) % width) * depth;
      if (z < 0 || z >= nz) memory.fill(slot, 0, depth);
      else {
        const w = wanted + (<usize>(z * ny) << 3);
        const l = along + (<usize>(z * ny) << 3);
        const o = z * plane;
        boxTile(p + o, 0, slot, lines, padded, nx, ny, top, rows, radius, w, l);
        boxTile(q + o, 0, slot + tile, lines, padded, nx, ny, top, rows, radius, w, l);
        boxTile(c + o, 0, slot + 2 * tile, lines, padded, nx, ny, top, rows, radius, w, l);
      }
      const here = z - radius;
      if (here < from) continue;
      for (let k = 0; k < rows; k++) {
        const y = top + k;
        const line = here * plane + y * row;
        const extent = own + (<usize>(here * ny + y) << 3);
        clearBut(gx + line, extent, nx);
        clearBut(gy + line, extent, nx);
        clearBut(gz + line, extent, nx);
        if (firstOf(extent) == lastOf(extent)) continue;
        const m = moving + line;
        const ym = moving + here * plane + larger(y - 1, 0) * row;
        const yp = moving + here * plane + smaller(y + 1, ny - 1) * row;
        const zm = moving + larger(here - 1, 0) * plane + y * row;
        const zp = moving + smaller(here + 1, nz - 1) * plane + y * row;
        store<f32>(repeated, load<f32>(m));
        memory.copy(repeated + 4, m, row);
        store<f32>(repeated + 4 + row, load<f32>(m + row - 4));
        for (let x = firstOf(extent); x < lastOf(extent); x += 4) {
          const at = <usize>x << 2;
          const s = ring + k * row + at;
          const a = mul(v128.load(fixed + line + at), sumRows(s, depth, width));
          const b = mul(v128.load(m + at), sumRows(s + tile, depth, width));
          // The 2 of the derivative and the 1/2 of the central difference cancel.
          const d = add(sub(a, b), sumRows(s + 2 * tile, depth, width));
          storeLanes(gx + line + at, mul(d, sub(v128.load(repeated + at, 8), v128.load(repeated + at))), nx - x);
          storeLanes(gy + line + at, mul(d, sub(v128.load(yp + at), v128.load(ym + at))), nx - x);
          storeLanes(gz + line + at, mul(d, sub(v128.load(zp + at), v128.load(zm + at))), nx - x);
        }
      }
    }
  }
}

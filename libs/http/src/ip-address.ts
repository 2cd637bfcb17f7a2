/** Address ranges that a host name must never lead to: they belong to this machine's link, its cloud, or nobody. */
import { BlockList, isIP } from 'node:net';

const blocked = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  blocked.addSubnet(network, bits, 'ipv4');
}
for (const [network, bits] of [
  ['::', 128],
  ['fe80::', 10],
  ['ff00::', 8],
  ['64:ff9b::', 96],
  ['100::', 64],
  ['2001:db8::', 32],
] as const) {
  blocked.addSubnet(network, bits, 'ipv6');
}
// Amazon's metadata address lies inside the unique-local range, which hospitals use.
blocked.addAddress('fd00:ec2::254', 'ipv6');

/** Link-local (cloud metadata), unspecified, multicast and reserved addresses, also as IPv4 mapped into IPv6. */
export function isNeverAllowed(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return blocked.check(mapped, 'ipv4');
  const family = isIP(address);
  return family === 0 || blocked.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

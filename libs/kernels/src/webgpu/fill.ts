import { kernel } from './shader.ts';

export const fillKernel = kernel('fill', {
  write: ['output'],
  parameters: { value: 'f32' },
  body: /* wgsl */ `
  output[i] = p.value;`,
});

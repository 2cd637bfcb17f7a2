import { type Affine, determinant } from '@engram/volume';

/**
 * Estimated total intracranial volume in mL: the template's, divided by how much the affine T1 → template enlarges (Buckner
 * et al., NeuroImage 23:724, 2004). Rests on the whole head's size and so hardly on atrophy, unlike the brain mask's volume.
 * @param templateMl intracranial volume of the template.
 * @param t1ToTemplate RAS mm of the T1 → RAS mm of the template.
 */
export const headSizeMl = (templateMl: number, t1ToTemplate: Affine): number =>
  templateMl / Math.abs(determinant(t1ToTemplate));

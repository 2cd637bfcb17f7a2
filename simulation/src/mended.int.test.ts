/** Seeds that showed defects of services which have since been mended: each must come right. */
import { expect, test } from 'vitest';
import { record } from './recorded.ts';
import { simulate } from './simulate.ts';

test.each([
  [11, 'a forecast was replaced by a refusal that rested on an older reading of the patient'],
  [17, 'a run asked for earlier ended later and took the place of the newer features'],
  [34, 'of two writers of a study’s state the older one won'],
  [162, 'the state of a withdrawn study was that of its cancelled run'],
  [148, 'a session was asked for twice with the same images when two processes planned it at once'],
  [1130, 'a plan on older studies withdrew a session that another process had planned anew'],
  [682, 'a run that lost to another had put its images into the view'],
  [1167, 'a withdrawal crossed with the end of its run and left the features in use'],
  [1490, 'a withdrawal came while the version was being stored'],
  [242, 'a forecast in use was left written back as entered-in-error: the later ones were pending'],
  [704, 'a withdrawal told of after the forecast that was made anew put it in error'],
  [814, 'a forecast made anew after a withdrawal was taken for a repeat'],
  [45, 'a consumer that woke after its lease was taken over wrote older measurements over newer ones'],
  [90, 'a study kept the state of a run that was called off'],
  [1043, 'a study kept the state of a run whose numbers were no news'],
  [3385, 'a withdrawn PET took the features of the T1 alone with it, which the feature store had just said were left'],
  [304, 'a worker that woke after another had finished its run put other bytes under the artifacts that it named'],
  [1042, 'the withdrawal of a study was taken for older news than the end of its run'],
])('seed %i: %s', async (seed) => {
  expect((await simulate(seed, await record())).failures).toEqual([]);
});

import { conformance } from '../conformance.ts';
import { openDevice } from '../open-device.ts';

conformance('scalar', () => openDevice({ backend: 'scalar' }));

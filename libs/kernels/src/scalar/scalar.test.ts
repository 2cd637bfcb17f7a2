import { conformance } from '../conformance/index.ts';
import { openDevice } from '../open-device.ts';

conformance('scalar', () => openDevice({ backend: 'scalar' }));

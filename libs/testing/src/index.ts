/**
 * Phantoms, fakes and the test data on this machine; for tests only.
 * @module
 */

export { type DicomElements, type DicomVr, dicomFile, dicomSlice, type SliceOptions } from './dicom-file.ts';
export {
  type Fault,
  type FaultProxy,
  type FaultProxyOptions,
  type ProxiedRequest,
  startFaultProxy,
} from './fault-proxy.ts';
export {
  type PetOptions,
  type PetPhantom,
  petFromLabels,
  type T1Options,
  type T1Phantom,
  t1FromLabels,
} from './phantom/from-labels.ts';
export {
  DEMO_SESSIONS,
  type PatientOptions,
  PHANTOM_ID,
  type PhantomSession,
  phantomPatient,
  phantomSession,
  type SessionPlan,
  type SessionTruth,
  type Template,
} from './phantom/patient.ts';
export { type Random, random } from './phantom/random.ts';
export { randomRigid, rigid } from './phantom/rigid.ts';
export { hasSharedData, sharedData } from './shared-data.ts';
export { storeInstances } from './store-instances.ts';
export { SWIFTSHADER_FILES, swiftshaderEnvironment, swiftshaderFolder, useSwiftshader } from './swiftshader.ts';

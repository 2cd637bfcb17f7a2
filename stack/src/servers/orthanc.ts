/** Orthanc with its DICOMweb plugin: a PACS. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngramError } from '@engram/errors';
import { fetchPrograms } from '../install/debian.ts';
import { getJson, httpUrl } from '../run/http.ts';
import { HOST, type Place, type ServerDefinition } from '../server.ts';

const VERSION = '1.10.1+dfsg-2+deb12u1';

export const orthanc: ServerDefinition = {
  name: 'orthanc',
  version: VERSION,
  ports: ['http'],
  startupMs: 120_000,

  install: (folders, progress) =>
    fetchPrograms(
      [
        {
          name: 'orthanc',
          version: VERSION,
          sha256: '1879b47e9328b02042821d0f8d22ef19dcc0482d0c913cbd5da343dfb58aa327',
        },
        {
          name: 'orthanc-dicomweb',
          version: '1.7+dfsg-6+b2',
          sha256: '66298dfe6a62caeeeac1f5b188ec687445a5fb69827641fbd2b61a002de74591',
        },
      ],
      folders,
      progress,
    ),

  async launch(place) {
    const { dir } = place;
    const root = join(place.installed, 'root');
    const plugin = await findOne(root, /^libOrthancDicomWeb\.so/);
    const libraries = join(await findOne(root, /^libdcmdata\.so/), '..');
    const settings = join(dir, 'orthanc.json');
    await mkdir(join(dir, 'data'), { recursive: true });
    await writeFile(settings, `${JSON.stringify(settingsOf(place, plugin), null, 2)}\n`);
    return {
      program: join(root, 'usr', 'sbin', 'Orthanc'),
      args: [settings],
      env: {
        LD_LIBRARY_PATH: [libraries, join(libraries, 'lapack')].join(':'),
        DCMDICTPATH: await findOne(root, /^dicom\.dic$/),
      },
    };
  },

  async ready({ ports }) {
    await getJson(httpUrl(ports['http'], '/dicom-web/studies?limit=1'));
  },

  environment: ({ ports }) => ({ DICOMWEB_URL: httpUrl(ports['http'], '/dicom-web') }),
};

const settingsOf = ({ dir, ports }: Place, plugin: string) => ({
  Name: 'engram-stack',
  StorageDirectory: join(dir, 'data'),
  IndexDirectory: join(dir, 'data'),
  HttpPort: ports['http'],
  // This version cannot be told an address to listen on; it answers 401 to whoever does not come from 127.0.0.1.
  RemoteAccessAllowed: false,
  AuthenticationEnabled: false,
  DicomServerEnabled: false,
  OverwriteInstances: true,
  Plugins: [plugin],
  DicomWeb: { Enable: true, Root: '/dicom-web/', Host: HOST, Ssl: false },
});

/** The last by name of the files below `root` that match: the most specific version of a library. */
async function findOne(root: string, name: RegExp): Promise<string> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const found = entries.filter((entry) => name.test(entry.name)).map((entry) => join(entry.parentPath, entry.name));
  const last = found.sort().at(-1);
  if (last === undefined) throw new EngramError('PACKAGE_UNAVAILABLE', `orthanc: no file ${name.source} was unpacked`);
  return last;
}

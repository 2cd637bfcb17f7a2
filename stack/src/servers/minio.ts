/** MinIO: an S3 store, one process on one folder. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildGoProgram } from '../install/golang.ts';
import { httpUrl } from '../run/http.ts';
import { HOST, type ServerDefinition } from '../server.ts';

const VERSION = 'v0.0.0-20260212201848-7aac2a2c5b7c';
const BUCKET = 'engram-test';
const ACCESS_KEY = 'engram-test';
const SECRET_KEY = 'engram-test-secret';

export const minio: ServerDefinition = {
  name: 'minio',
  version: VERSION,
  ports: ['s3'],
  startupMs: 120_000,

  install: (folders, progress) => buildGoProgram('github.com/minio/minio', VERSION, folders, progress),

  async launch({ installed, dir, ports }) {
    const data = join(dir, 'data');
    // A folder in the root of the data is a bucket.
    await mkdir(join(data, BUCKET), { recursive: true });
    return {
      program: join(installed, 'bin', 'minio'),
      args: ['server', '--quiet', '--address', `${HOST}:${ports['s3']}`, data],
      env: {
        MINIO_ROOT_USER: ACCESS_KEY,
        MINIO_ROOT_PASSWORD: SECRET_KEY,
        MINIO_BROWSER: 'off',
        MINIO_UPDATE: 'off',
        MINIO_CALLHOME_ENABLE: 'off',
        // Its own settings folder would otherwise lie in the user's home.
        HOME: dir,
      },
    };
  },

  async ready({ ports }) {
    // A bucket that is there but not ours to read without a signature: S3 itself answers, not only its health page.
    const response = await fetch(httpUrl(ports['s3'], `/${BUCKET}/`), { signal: AbortSignal.timeout(3000) });
    const body = await response.text();
    if (response.status !== 403 || !body.includes('AccessDenied')) throw new Error(`S3 answered ${response.status}`);
  },

  environment({ ports }) {
    const endpoint = httpUrl(ports['s3']);
    return {
      S3_URL: `s3://${BUCKET}?endpoint=${endpoint}`,
      AWS_ACCESS_KEY_ID: ACCESS_KEY,
      AWS_SECRET_ACCESS_KEY: SECRET_KEY,
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_S3: endpoint,
    };
  },
};

import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isEngramError } from '@engram/errors';
import { fastify } from 'fastify';
import { describe, expect, test } from 'vitest';
import { objectsConformance } from '../conformance.ts';
import { objectsPlugin } from '../objects-plugin.ts';
import { openObjects } from '../open.ts';
import { openFolderObjects } from './objects.ts';

const temporary = () => mkdtempSync(join(tmpdir(), 'engram-objects-'));
const remove = (folder: string) => rmSync(folder, { recursive: true, force: true });

objectsConformance('folder', async () => {
  const root = temporary();
  const publicUrl = 'http://objects.test/objects';
  const secret = 'a secret of the test';
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const objects = await openFolderObjects({ root, publicUrl, secret, now });
  const app = fastify();
  await app.register(objectsPlugin, { prefix: '/objects', objects, secret, now });
  return {
    objects,
    advance(ms) {
      ahead += ms;
    },
    async read(url, headers = {}) {
      const { pathname, search } = new URL(url);
      const response = await app.inject({ url: pathname + search, headers });
      return { status: response.statusCode, body: response.rawPayload };
    },
    async close() {
      await app.close();
      remove(root);
    },
  };
});

describe('the folder adapter', () => {
  test('people find the bytes in a file of the key’s name, and nothing is left over after a removal', async () => {
    const root = temporary();
    const objects = await openObjects(`file://${root}`);
    await objects.put('preprocessed/p/2024-01-15/roi_features.json', Buffer.from('{}'));
    expect(readFileSync(join(root, 'preprocessed/p/2024-01-15/roi_features.json'), 'utf8')).toBe('{}');
    await objects.put('preprocessed/p/2024-01-15/roi_features.json', Buffer.from('{"a":1}'));
    await objects.remove('preprocessed/p/2024-01-15/roi_features.json');
    const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map((entry) => entry.name)).toEqual([]);
    remove(root);
  });

  test('bytes that changed on the disk are never handed out as the object', async () => {
    const root = temporary();
    const objects = await openObjects(`file://${root}`);
    await objects.put('k', Buffer.from('the right bytes'));
    chmodSync(join(root, 'k'), 0o644);
    writeFileSync(join(root, 'k'), 'the wrong bytes');
    const corrupt = { code: 'OBJECT_CORRUPT', file: 'k' };
    await expect(objects.get('k')).rejects.toMatchObject(corrupt);
    await expect(objects.download('k', join(root, 'out'))).rejects.toMatchObject(corrupt);
    expect(readdirSync(root)).not.toContain('out');
    const streamed = async () => {
      for await (const _ of await objects.stream('k'));
    };
    await expect(streamed()).rejects.toMatchObject(corrupt);
    remove(root);
  });

  test('another adapter’s URL is refused, and so is a presigned URL that nobody would answer', async () => {
    await expect(openObjects('ftp://x')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const root = temporary();
    const objects = await openObjects(`file://${root}`);
    await objects.put('k', Buffer.from('x'));
    await expect(objects.presign('k', { expiresInSeconds: 1 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    remove(root);
  });

  test('a process killed while it writes leaves whole objects only', async () => {
    const root = temporary();
    const child = spawn(process.execPath, [join(import.meta.dirname, 'endless-putter.fixture.ts'), `file://${root}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let acknowledged = 0;
    for await (const chunk of child.stdout) {
      acknowledged += String(chunk).trim().split('\n').length;
      if (acknowledged >= 30) child.kill('SIGKILL');
    }
    const objects = await openObjects(`file://${root}`);
    const { objects: listed } = await objects.list('', { limit: 1000 });
    expect(listed.length).toBeGreaterThanOrEqual(acknowledged);
    for (const { key } of listed) expect((await objects.get(key)).length).toBe(200_000);
    remove(root);
  });
});

const canMount = process.getuid?.() === 0 && mountable();

function mountable(): boolean {
  const folder = temporary();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    remove(folder);
  }
}

test.skipIf(!canMount)(
  'a full disk is said to be full, nothing of the object stays, and it goes on once there is room',
  async () => {
    const folder = temporary();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
    try {
      mkdirSync(join(folder, 'o'));
      const objects = await openObjects(`file://${join(folder, 'o')}`);
      await objects.put('small', Buffer.alloc(100_000));
      const error: unknown = await objects.put('big', Buffer.alloc(3_000_000, 1)).catch((thrown: unknown) => thrown);
      expect(isEngramError(error, 'DISK_FULL')).toBe(true);
      expect(await objects.head('big')).toBeUndefined();
      expect((await objects.get('small')).length).toBe(100_000);
      await objects.put('second', Buffer.alloc(200_000, 2));
      expect((await objects.get('second')).length).toBe(200_000);
    } finally {
      execFileSync('umount', [folder]);
      remove(folder);
    }
  },
);

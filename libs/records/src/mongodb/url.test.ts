import { expect, test } from 'vitest';
import { defaultsFor } from './url.ts';

test('a URL that says little is given time limits, a majority’s journal and a database', () => {
  expect(defaultsFor('mongodb://user:p%40ss@a:27017,b:27017')).toMatchObject({ w: 'majority', dbName: 'engram' });
  expect(defaultsFor('mongodb+srv://cluster.example.org/')).toMatchObject({ journal: true, dbName: 'engram' });
});

test('what a URL says is left as it says it', () => {
  const defaults = defaultsFor('mongodb://a,b/site-a?W=1&maxpoolsize=5');
  expect(defaults).not.toHaveProperty('w');
  expect(defaults).not.toHaveProperty('maxPoolSize');
  expect(defaults).not.toHaveProperty('dbName');
  expect(defaults).toHaveProperty('serverSelectionTimeoutMS');
});

test.each(['mongodb:', 'mongodb://', 'mongo://a', 'mongodb:///db'])('%s is refused', (url) => {
  expect(() => defaultsFor(url)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

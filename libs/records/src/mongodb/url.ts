/** What we add to a MongoDB URL where it does not say otherwise. Pure. */
import { EngramError } from '@engram/errors';

/** What is answered is on the disk of a majority. */
const DEFAULTS = {
  appName: 'engram',
  connectTimeoutMS: 5_000,
  serverSelectionTimeoutMS: 10_000,
  socketTimeoutMS: 60_000,
  maxPoolSize: 20,
  w: 'majority',
  journal: true,
} as const;

const DATABASE = 'engram';
/** `scheme://[credentials@]host[,host…][/database][?options]` */
const FORM = /^mongodb(?:\+srv)?:\/\/[^/?]+(?:\/([^?]*))?(?:\?(.*))?$/;

export type ConnectionDefaults = Partial<typeof DEFAULTS> & { readonly dbName?: string };

/** @throws CONFIG_INVALID, without repeating the URL. */
export function defaultsFor(url: string): ConnectionDefaults {
  const match = FORM.exec(url);
  if (!match) {
    throw new EngramError('CONFIG_INVALID', 'a MongoDB URL reads mongodb://host:port/database?options', {
      field: 'ENGRAM_RECORDS_URL',
    });
  }
  const [, database = '', options = ''] = match;
  // The driver does not mind the case of an option.
  const said = new Set([...new URLSearchParams(options).keys()].map((name) => name.toLowerCase()));
  const unsaid = Object.entries(DEFAULTS).filter(([name]) => !said.has(name.toLowerCase()));
  return { ...Object.fromEntries(unsaid), ...(database === '' ? { dbName: DATABASE } : {}) };
}

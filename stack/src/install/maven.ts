/** Jars by Maven, from the repositories of the user's own Maven settings. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '@engram/cache';
import type { InstallFolders, Progress } from '../server.ts';

const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const TIMEOUT_MS = 900_000;

export interface MavenOptions {
  /** Also what the artefacts need at run time. Default true. */
  readonly transitive?: boolean;
}

/**
 * Fetches artefacts into `lib/`, checked against Maven's .sha1 files and then against our recorded sha256.
 * @param artefacts `group:artifact:version`, or `group:artifact:version:classifier`.
 */
export async function fetchJars(
  artefacts: readonly string[],
  { folder, work, checksums }: InstallFolders,
  progress: Progress,
  { transitive = true }: MavenOptions = {},
): Promise<void> {
  progress('fetching jars with Maven');
  const pom = join(work, 'pom.xml');
  const lib = join(folder, 'lib');
  await writeFile(pom, project(artefacts, transitive));
  const settings = [`-DoutputDirectory=${lib}`, '-DincludeScope=runtime', '-Dstyle.color=never'];
  await runTool('mvn', ['-q', '-B', '--strict-checksums', '-f', pom, COPY, ...settings], {
    cwd: work,
    timeoutMs: TIMEOUT_MS,
  });
  await checksums.check(lib);
}

const project = (artefacts: readonly string[], transitive: boolean): string => `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>engram</groupId>
  <artifactId>stack</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>${artefacts.map((artefact) => dependency(artefact, transitive)).join('')}</dependencies>
</project>
`;

const NOTHING_ELSE = '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>';

function dependency(artefact: string, transitive: boolean): string {
  const [group, name, version, classifier] = artefact.split(':');
  const parts = { groupId: group, artifactId: name, version, classifier };
  const tags = Object.entries(parts).flatMap(([tag, value]) =>
    value === undefined ? [] : `<${tag}>${value}</${tag}>`,
  );
  return `<dependency>${tags.join('')}${transitive ? '' : NOTHING_ELSE}</dependency>`;
}

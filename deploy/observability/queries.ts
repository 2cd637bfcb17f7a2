/** What the alert rules and the dashboards ask Prometheus for: every PromQL query, and the names in it by Prometheus's own grammar. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { parse as parseYaml } from 'yaml';

export interface Query {
  /** `EngramServiceDown`, or a dashboard's file and the panel's title. */
  readonly from: string;
  readonly expression: string;
}

export interface Alert extends Query {
  readonly runbook: string;
}

export interface Names {
  readonly metrics: readonly string[];
  readonly labels: readonly string[];
}

interface RulesFile {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly annotations: { runbook_url: string };
    }[];
  }[];
}

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

const folder = import.meta.dirname;
const read = (...path: string[]): string => readFileSync(join(folder, ...path), 'utf8');

export function alerts(): readonly Alert[] {
  const file = parseYaml(read('rules', 'engram.yml')) as RulesFile;
  return file.groups.flatMap(({ rules }) =>
    rules.map(({ alert, expr, annotations }) => ({ from: alert, expression: expr, runbook: annotations.runbook_url })),
  );
}

export function panelQueries(): readonly Query[] {
  return readdirSync(join(folder, 'dashboards')).flatMap((name) => {
    const { panels } = JSON.parse(read('dashboards', name)) as Dashboard;
    return panels.flatMap(({ title, targets }) =>
      targets.map(({ expr }) => ({ from: `${name}: ${title}`, expression: expr })),
    );
  });
}

/** @throws Error when the expression is not PromQL. Grafana's `$__rate_interval` counts as a duration. */
export function namesIn({ from, expression }: Query): Names {
  const text = expression.replaceAll('$__rate_interval', '5m');
  const metrics = new Set<string>();
  const labels = new Set<string>();
  parser.parse(text).iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`${from}: not PromQL at ${node.from}: ${text}`);
      const value = text.slice(node.from, node.to);
      if (node.name === 'Identifier' && node.node.parent?.name === 'VectorSelector') metrics.add(value);
      if (node.name === 'LabelName') labels.add(value);
    },
  });
  return { metrics: [...metrics], labels: [...labels] };
}

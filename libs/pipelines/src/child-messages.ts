/** What the run and its child process say to each other. */
import type { TaskFile } from './task.ts';

export interface RunTaskMessage {
  readonly type: 'run';
  readonly task: string;
  readonly inputs: Readonly<Record<string, TaskFile>>;
  readonly tracer: string | undefined;
  readonly parameters: unknown;
  readonly workDir: string;
}

export type ParentMessage = RunTaskMessage;

export interface CodedError {
  readonly code: string;
  readonly message: string;
  readonly file?: string;
  readonly field?: string;
}

export type ChildMessage =
  | { readonly type: 'ready'; readonly device: { readonly backend: string; readonly name: string } }
  | { readonly type: 'progress'; readonly fraction: number }
  | { readonly type: 'note'; readonly text: string; readonly warning: boolean }
  | { readonly type: 'done'; readonly cpuSeconds: number }
  | { readonly type: 'failed'; readonly cpuSeconds: number; readonly error: CodedError };

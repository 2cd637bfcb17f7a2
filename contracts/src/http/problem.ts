/** RFC 9457 problem details with our code: every API error of every service. */
import { z } from 'zod';

export const problem = z.object({
  type: z.string().describe('URI of the entry in docs/errors.md'),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  field: z.string().optional(),
  trace_id: z.string().optional(),
});
export type Problem = z.infer<typeof problem>;

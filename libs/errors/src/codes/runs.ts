/** Codes of pipelines, their tasks and the atlas. */
export const runCodes = {
  ATLAS_UNAVAILABLE: {
    title: 'The atlas could not be found, fetched or trusted',
    action: 'Connect to the network once, or name a folder with --atlas DIR.',
    retryable: false,
    status: 503,
  },
  PIPELINE_UNKNOWN: {
    title: 'There is no pipeline of that name',
    action: 'Use one of the names in the message.',
    retryable: false,
    status: 422,
  },
  PARAMETERS_INVALID: {
    title: 'A parameter of the pipeline is wrong',
    action: 'Correct the named parameter.',
    retryable: false,
    status: 422,
  },
  INPUT_MISSING: {
    title: 'The pipeline lacks an input it needs',
    action: 'Send the named image.',
    retryable: false,
    status: 422,
  },
  TASK_CRASHED: {
    title: 'The process of a task ended by itself',
    action: 'Retried by itself; if it stays, report it with the trace id.',
    retryable: true,
    status: 500,
  },
  TASK_TIMEOUT: {
    title: 'A task took longer than its limit',
    action: 'Retried by itself; raise the limit for large images.',
    retryable: true,
    status: 500,
  },
  TASK_OUT_OF_MEMORY: {
    title: 'A task needed more memory than its limit',
    action: 'Retried by itself; raise the limit or free memory.',
    retryable: true,
    status: 500,
  },
  RUN_UNKNOWN: {
    title: 'A command came before the run it is for',
    action: 'Retried by itself; check the run id if it stays.',
    retryable: true,
    status: 404,
  },
  RUN_ABANDONED: {
    title: 'The worker process died on the run again and again',
    action: 'Look at the memory limit and the system log, then retry the run.',
    retryable: true,
    status: 500,
  },
  REGION_EMPTY: {
    title: 'A region of the atlas has no voxel in the image',
    action: 'Use a scan that shows the whole brain, or finer voxels.',
    retryable: false,
    status: 422,
  },
  RUN_CANCELLED: { title: 'The run was cancelled', action: 'Nothing to do.', retryable: false, status: 409 },
} as const;

export const PIPELINE_NAME = 'adni';
/** Said in every feature set; the tasks' own versions decide what is done again. */
export const PIPELINE_VERSION = '1.0';

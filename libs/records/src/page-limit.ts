/** Records a page: 100 unless asked for otherwise, 1 to 1000. */
export const pageLimit = (limit = 100): number => Math.min(1000, Math.max(1, limit));

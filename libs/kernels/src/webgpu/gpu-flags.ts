/** GPUBufferUsage and GPUMapMode as the WebGPU specification numbers them; the names exist in browsers only. */
export const usage = { mapRead: 0x01, copySource: 0x04, copyTarget: 0x08, uniform: 0x40, storage: 0x80 } as const;

export const MAP_FOR_READING = 0x01;

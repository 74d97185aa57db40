/**
 * Inflates the records of a batch, never past the cap: the bytes over it are not produced, rather than produced and refused (F91).
 */
import { constants, gunzipSync, zstdDecompressSync } from "node:zlib";
import { InflateFailure, overLimit } from "./inflate-failure.ts";
import { inflateLz4 } from "./lz4.ts";
import { inflateSnappy } from "./snappy.ts";

/** Compression codes in the attributes of a record batch. */
export const CODEC_NONE = 0;
export const CODEC_GZIP = 1;
export const CODEC_SNAPPY = 2;
export const CODEC_LZ4 = 3;
export const CODEC_ZSTD = 4;

/** Output arrives in pieces of this size; what fits one is not copied again. */
const CHUNK_BYTES = 16 * 1024;
/** Largest window a frame may ask for, 2^27 = 128 MiB: what zstd writes at its highest level. Memory is touched only as it fills. */
const ZSTD_WINDOW_LOG_MAX = 27;

/** Throws {@link InflateFailure} and nothing else. */
export function inflate(codec: number, input: Buffer, bytesMax: number): Buffer {
  switch (codec) {
    case CODEC_GZIP:
      return byZlib("gzip", bytesMax, () =>
        gunzipSync(input, { maxOutputLength: bytesMax, chunkSize: CHUNK_BYTES }),
      );
    case CODEC_SNAPPY:
      return inflateSnappy(input, bytesMax);
    case CODEC_LZ4:
      return inflateLz4(input, bytesMax);
    case CODEC_ZSTD:
      return byZlib("zstd", bytesMax, () =>
        zstdDecompressSync(input, {
          maxOutputLength: bytesMax,
          chunkSize: CHUNK_BYTES,
          params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
        }),
      );
    default:
      throw new InflateFailure(`unknown compression codec ${codec}`);
  }
}

function byZlib(name: string, bytesMax: number, run: () => Buffer): Buffer {
  try {
    return exact(run());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw overLimit(bytesMax);
    throw new InflateFailure(`broken ${name} data`, { cause: error });
  }
}

/** Node's result may be a view on a whole piece of output: when that is mostly unused, a copy gives it back. */
function exact(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength <= 2 * bytes.length) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

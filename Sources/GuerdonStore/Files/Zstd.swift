import CZstd

/// Compresses independent zstd frames, each with the decompressed length in its header.
final class ZstdCompressor {
    private let context: OpaquePointer
    private var output: UnsafeMutableRawBufferPointer

    init(level: Int32) {
        guard let context = ZSTD_createCCtx() else { preconditionFailure("zstd cannot allocate") }
        self.context = context
        let result = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        precondition(ZSTD_isError(result) == 0)
        output = .allocate(byteCount: ZSTD_compressBound(1 << 16), alignment: 16)
    }

    deinit {
        ZSTD_freeCCtx(context)
        output.deallocate()
    }

    /// One frame that holds `bytes`; valid until the next call.
    func compress(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let bound = ZSTD_compressBound(bytes.count)
        if bound > output.count {
            output.deallocate()
            output = .allocate(byteCount: bound, alignment: 16)
        }
        let length = ZSTD_compress2(context, output.baseAddress, output.count, bytes.baseAddress, bytes.count)
        precondition(ZSTD_isError(length) == 0, "the output buffer has zstd's own bound")
        return UnsafeRawBufferPointer(output).slice(0, length)
    }
}

/// Decompresses frames whose checksum has been verified and whose length is known.
final class ZstdDecompressor {
    private let context: OpaquePointer

    init() {
        guard let context = ZSTD_createDCtx() else { preconditionFailure("zstd cannot allocate") }
        self.context = context
    }

    deinit { ZSTD_freeDCtx(context) }

    /// Fills `output` exactly from one frame; `false` if the frame does not hold just that many bytes.
    func decompress(_ frame: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Bool {
        guard ZSTD_getFrameContentSize(frame.baseAddress, frame.count) == UInt64(output.count) else { return false }
        let length = ZSTD_decompressDCtx(
            context, output.baseAddress, output.count, frame.baseAddress, frame.count)
        return ZSTD_isError(length) == 0 && length == output.count
    }
}

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

    /// A compressor for rows of short ids and numbers that hardly repeat, as in the log.
    ///
    /// Repetitions are looked for in fewer places, and only long ones: what is left is coded by how often each byte
    /// occurs, which at this level zstd would skip. On the scoring job's log it takes two thirds of the time of level 1
    /// and less space; on prose it takes a tenth more space.
    static func forLog() -> ZstdCompressor {
        let compressor = ZstdCompressor(level: 1)
        compressor.set(ZSTD_c_hashLog, 12)
        compressor.set(ZSTD_c_minMatch, 7)
        compressor.set(ZSTD_c_targetLength, 2)
        // "Literal compression mode: on"; a library that does not know it makes larger frames.
        compressor.set(ZSTD_c_experimentalParam5, 1)
        return compressor
    }

    /// Sets what has an influence on time and size alone, so that a refusal is no failure.
    private func set(_ parameter: ZSTD_cParameter, _ value: Int32) {
        _ = ZSTD_CCtx_setParameter(context, parameter, value)
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

/// Decompresses frames whose checksum has been verified and whose length is known; for one thread at a time.
// Unchecked: whoever hands it on keeps it from being used twice at once.
final class ZstdDecompressor: @unchecked Sendable {
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

/// Several things written to a sink at once: their room is reserved once, and they are counted once.
struct SinkRun {
    private let sink: ByteSink
    private let base: UnsafeMutableRawPointer
    private var next: UnsafeMutableRawPointer

    /// Begins behind the end of a sink, which nobody else may write to before ``end()``.
    ///
    /// - Parameter bytes: no less than what will be written; more traps at the end.
    @inline(__always)
    init(_ sink: ByteSink, bytes: Int) {
        self.sink = sink
        base = sink.reserve(bytes)
        next = base
    }

    /// Where the next byte will be in the sink.
    @inline(__always) var count: Int { sink.count + base.distance(to: next) }

    /// Counts what was written as part of the sink.
    @inline(__always) func end() { sink.advance(base.distance(to: next)) }

    @inline(__always) mutating func byte(_ byte: UInt8) {
        next.storeBytes(of: byte, as: UInt8.self)
        next += 1
    }

    /// As ``ByteSink/writeVarint(_:)``.
    @inline(__always) mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }

    /// As ``ByteSink/writeSigned(_:)``.
    @inline(__always) mutating func signed(_ value: Int64) {
        varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// A length-prefixed text; overlapping words beat `memcpy` on ids.
    @inline(__always) mutating func text(_ bytes: UnsafeRawBufferPointer) {
        let count = bytes.count
        varint(UInt64(count))
        guard let from = bytes.baseAddress else { return }
        switch count {
        case 8...16:
            next.storeBytes(of: from.loadUnaligned(as: UInt64.self), as: UInt64.self)
            next.storeBytes(
                of: from.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self), toByteOffset: count &- 8,
                as: UInt64.self)
        case 4..<8:
            next.storeBytes(of: from.loadUnaligned(as: UInt32.self), as: UInt32.self)
            next.storeBytes(
                of: from.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self), toByteOffset: count &- 4,
                as: UInt32.self)
        case 1..<4:
            for i in 0..<count {
                next.storeBytes(of: from.load(fromByteOffset: i, as: UInt8.self), toByteOffset: i, as: UInt8.self)
            }
        default: next.copyMemory(from: from, byteCount: count)
        }
        next += count
    }
}

import CIntrinsics

/// Digests a stream of words and bytes into 256 bits: SHA-256, without a seed.
///
/// The logical state hash comes from here: the same state gives the same digest on every machine, and the digest depends
/// on the order of what is fed. Words are fed as eight bytes, least significant first. Neither words nor byte strings
/// carry their length, so feed a count before anything of variable size.
///
/// ```swift
/// var hasher = StateHasher()
/// hasher.combine(UInt64(3))
/// bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
/// print(hasher.finalize().hexadecimal)
/// ```
public struct StateHasher: Sendable {
    private var state: InlineArray<8, UInt32> = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    /// The block that is being filled, its bytes in order of memory.
    private var block = InlineArray<8, UInt64>(repeating: 0)
    private var byteCount: UInt64 = 0

    /// 256 bits as eight words, most significant first as in the SHA-256 text form.
    public struct Digest: Sendable, Hashable, BitwiseCopyable {
        /// The eight words of the digest, in order.
        public var a, b, c, d, e, f, g, h: UInt32

        /// The digest as 64 lower-case hexadecimal digits.
        public var hexadecimal: String {
            var text = ""
            for word in [a, b, c, d, e, f, g, h] {
                let digits = String(word, radix: 16)
                text += String(repeating: "0", count: 8 - digits.count) + digits
            }
            return text
        }
    }

    /// Starts an empty digest.
    public init() {}

    /// Feeds eight bytes, least significant first.
    @inline(__always)
    public mutating func combine(_ value: UInt64) {
        if byteCount & 7 == 0 {
            block[Int(truncatingIfNeeded: byteCount &>> 3) & 7] = value.littleEndian
            byteCount &+= 8
            if byteCount & 63 == 0 { compressBlock() }
        } else {
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                appendByte(UInt8(truncatingIfNeeded: value >> shift))
            }
        }
    }

    /// Feeds the bytes as they are, without their count.
    public mutating func combine(bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            if byteCount & 63 == 0, left >= 64 {
                let blocks = left / 64
                state.withBytes { cintrinsics_sha256($0, bytes.baseAddress.unsafelyUnwrapped + index, blocks) }
                byteCount &+= UInt64(blocks) &* 64
                index += blocks * 64
            } else if byteCount & 7 == 0, left >= 8 {
                combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
                index += 8
            } else {
                appendByte(bytes[index])
                index += 1
            }
        }
    }

    /// The digest of everything fed so far; more may be fed afterwards.
    public func finalize() -> Digest {
        var copy = self
        copy.appendByte(0x80)
        while copy.byteCount & 63 != 56 { copy.appendByte(0) }
        // The length in bits stands most significant byte first.
        copy.combine((byteCount &* 8).byteSwapped)
        let words = copy.state
        return Digest(
            a: words[0], b: words[1], c: words[2], d: words[3], e: words[4], f: words[5], g: words[6], h: words[7])
    }

    private mutating func appendByte(_ byte: UInt8) {
        let slot = Int(truncatingIfNeeded: byteCount &>> 3) & 7
        let shift = (byteCount & 7) &* 8
        let filled = shift == 0 ? 0 : UInt64(littleEndian: block[slot])
        block[slot] = (filled | UInt64(byte) &<< shift).littleEndian
        byteCount &+= 1
        if byteCount & 63 == 0 { compressBlock() }
    }

    @inline(never)
    private mutating func compressBlock() {
        let block = self.block
        withUnsafeBytes(of: block) { bytes in
            state.withBytes { cintrinsics_sha256($0, bytes.baseAddress, 1) }
        }
    }
}

extension InlineArray where Element == UInt32 {
    fileprivate mutating func withBytes(_ body: (UnsafeMutablePointer<UInt32>) -> Void) {
        withUnsafeMutablePointer(to: &self) { pointer in
            body(UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: UInt32.self))
        }
    }
}

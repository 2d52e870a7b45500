/// Digests a stream of words and bytes into 256 bits: SHA-256, in plain Swift, without a seed.
///
/// The logical state hash comes from here: the same state gives the same digest on every machine, and the digest depends
/// on the order of what is fed. Words are fed as eight bytes, least significant first. Neither words nor byte strings
/// carry their length, so feed a count before anything of variable size.
///
/// ```swift
/// var hasher = StateHasher()
/// hasher.combine(UInt64(3))
/// hasher.combine(bytes: [1, 2, 3])
/// print(hasher.finalize().hexadecimal)
/// ```
public struct StateHasher: Sendable {
    private var state = Digest(
        a: 0x6a09_e667, b: 0xbb67_ae85, c: 0x3c6e_f372, d: 0xa54f_f53a,
        e: 0x510e_527f, f: 0x9b05_688c, g: 0x1f83_d9ab, h: 0x5be0_cd19)
    private var block = InlineArray<16, UInt32>(repeating: 0)
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

        /// The first 64 bits of the digest.
        public var prefix: UInt64 { UInt64(a) << 32 | UInt64(b) }
    }

    /// Starts an empty digest.
    public init() {}

    /// Feeds eight bytes, least significant first.
    @inline(__always)
    public mutating func combine(_ value: UInt64) {
        if byteCount & 7 == 0 {
            let slot = Int(byteCount &>> 2) & 15
            block[slot] = UInt32(truncatingIfNeeded: value).byteSwapped
            block[slot + 1] = UInt32(truncatingIfNeeded: value &>> 32).byteSwapped
            byteCount &+= 8
            if byteCount & 63 == 0 { compress() }
        } else {
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                appendByte(UInt8(truncatingIfNeeded: value >> shift))
            }
        }
    }

    /// Feeds eight bytes, least significant first.
    @inline(__always)
    public mutating func combine(_ value: Int64) { combine(UInt64(bitPattern: value)) }

    /// Feeds eight bytes, least significant first.
    @inline(__always)
    public mutating func combine(_ value: Int) { combine(UInt64(bitPattern: Int64(value))) }

    /// Feeds the bytes as they are, without their count.
    public mutating func combine(bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count {
            if byteCount & 7 == 0, bytes.count - index >= 8 {
                combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
                index += 8
            } else {
                appendByte(bytes[index])
                index += 1
            }
        }
    }

    /// Feeds the bytes as they are, without their count.
    public mutating func combine(bytes: [UInt8]) {
        bytes.withUnsafeBytes { combine(bytes: $0) }
    }

    /// The digest of everything fed so far; more may be fed afterwards.
    public func finalize() -> Digest {
        var copy = self
        let bits = byteCount &* 8
        copy.appendByte(0x80)
        while copy.byteCount & 63 != 56 { copy.appendByte(0) }
        copy.block[14] = UInt32(truncatingIfNeeded: bits >> 32)
        copy.block[15] = UInt32(truncatingIfNeeded: bits)
        copy.compress()
        return copy.state
    }

    private mutating func appendByte(_ byte: UInt8) {
        let slot = Int(byteCount &>> 2) & 15
        let shift = 24 &- UInt32(truncatingIfNeeded: byteCount & 3) &* 8
        block[slot] = (shift == 24 ? 0 : block[slot]) | UInt32(byte) &<< shift
        byteCount &+= 1
        if byteCount & 63 == 0 { compress() }
    }

    /// One round of FIPS 180-4, with the roles of the variables rotated by the caller instead of their values.
    @inline(__always)
    private static func round(
        _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32, _ e: UInt32, _ f: UInt32, _ g: UInt32,
        _ h: inout UInt32, _ input: UInt32
    ) {
        let choice = g ^ (e & (f ^ g))
        let majority = (a & b) | (c & (a | b))
        let sum1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
        let sum0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
        let first = h &+ sum1 &+ choice &+ input
        d = d &+ first
        h = first &+ sum0 &+ majority
    }

    @inline(__always)
    private static func rotated(_ word: UInt32, _ by: UInt32) -> UInt32 { word &>> by | word &<< (32 &- by) }

    @inline(__always)
    private static func extend(_ w: inout InlineArray<16, UInt32>, _ i: Int) {
        let w1 = w[(i &+ 14) & 15]
        let w15 = w[(i &+ 1) & 15]
        let s1 = rotated(w1, 17) ^ rotated(w1, 19) ^ w1 &>> 10
        let s0 = rotated(w15, 7) ^ rotated(w15, 18) ^ w15 &>> 3
        w[i] = w[i] &+ s0 &+ w[(i &+ 9) & 15] &+ s1
    }

    @inline(never)
    private mutating func compress() {
        var w = block
        var (a, b, c, d) = (state.a, state.b, state.c, state.d)
        var (e, f, g, h) = (state.e, state.f, state.g, state.h)
        var base = 0
        while base < 64 {
            if base > 0 {
                var i = 0
                while i < 16 {
                    Self.extend(&w, i)
                    i &+= 1
                }
            }
            var i = 0
            while i < 16 {
                let k = base &+ i
                Self.round(a, b, c, &d, e, f, g, &h, Self.constants[k] &+ w[i])
                Self.round(h, a, b, &c, d, e, f, &g, Self.constants[k &+ 1] &+ w[i &+ 1])
                Self.round(g, h, a, &b, c, d, e, &f, Self.constants[k &+ 2] &+ w[i &+ 2])
                Self.round(f, g, h, &a, b, c, d, &e, Self.constants[k &+ 3] &+ w[i &+ 3])
                Self.round(e, f, g, &h, a, b, c, &d, Self.constants[k &+ 4] &+ w[i &+ 4])
                Self.round(d, e, f, &g, h, a, b, &c, Self.constants[k &+ 5] &+ w[i &+ 5])
                Self.round(c, d, e, &f, g, h, a, &b, Self.constants[k &+ 6] &+ w[i &+ 6])
                Self.round(b, c, d, &e, f, g, h, &a, Self.constants[k &+ 7] &+ w[i &+ 7])
                i &+= 8
            }
            base &+= 16
        }
        state = Digest(
            a: state.a &+ a, b: state.b &+ b, c: state.c &+ c, d: state.d &+ d,
            e: state.e &+ e, f: state.f &+ f, g: state.g &+ g, h: state.h &+ h)
    }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    private static let constants: InlineArray<64, UInt32> = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}

/// The one keyed hash of the engine: multilinear hashing of ids of up to 128 bytes.
///
/// With the 8-byte words `w` of the id, its length `n` and 128-bit keys `a`, each 64-bit half is the upper half of
/// `a[0] + n·a[1] + Σ w[i]·a[i+2]  (mod 2¹²⁸)`, then mixed by a fixed bijection.
///
/// What it promises: for two different ids chosen without knowledge of the keys, each half collides with probability 2⁻⁶⁴
/// and the whole 128 bits with 2⁻¹²⁸ (multilinear hashing is strongly universal), as far as the keys, which are
/// SHA-256 of the seed in counter mode, are as good as random. Among n ids any two thus share 128 bits with probability
/// below n²·2⁻¹²⁹: 10⁻¹⁹ for 10¹⁰ ids. What it does not: it is linear inside, so whoever could see hash values could find
/// the keys. Values therefore never leave the process except into files beside the seed.
///
/// The hash is a function of seed and bytes alone, the same on every machine. A handle: copies share the expanded keys;
/// the owner calls `deallocate()`.
public struct BitHash: @unchecked Sendable {
    // Sendable because the keys are written once, in `init`.
    private let keys: UnsafeMutablePointer<Key>

    /// The longest id that can be hashed, in bytes.
    public static let byteLimit = 128

    private static let wordLimit = byteLimit / 8
    /// Keys of one half: the addend, the one of the length and one per word.
    private static let keysPerHalf = wordLimit + 2

    private struct Key {
        var low: UInt64
        var high: UInt64
    }

    /// The secret that makes hash values unpredictable; part of the data directory.
    public struct Seed: Sendable, Hashable, BitwiseCopyable {
        /// The four words of the secret.
        public var a, b, c, d: UInt64

        /// Makes a seed from 256 random bits.
        public init(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) {
            (self.a, self.b, self.c, self.d) = (a, b, c, d)
        }
    }

    /// 128 hash bits that stand for an id.
    public struct Value: Sendable, Hashable, BitwiseCopyable, Comparable {
        /// The half that tables use to find the place.
        public var first: UInt64
        /// The other half.
        public var second: UInt64

        /// Puts two halves together.
        public init(first: UInt64, second: UInt64) {
            (self.first, self.second) = (first, second)
        }

        /// Orders by `first`, then `second`.
        public static func < (a: Value, b: Value) -> Bool {
            a.first != b.first ? a.first < b.first : a.second < b.second
        }
    }

    /// Expands `seed` into the keys: 36 short SHA-256 digests.
    public init(seed: Seed) {
        keys = .allocate(capacity: Self.keysPerHalf * 2)
        for number in 0..<Self.keysPerHalf * 2 {
            var hasher = StateHasher()
            for word in [seed.a, seed.b, seed.c, seed.d, UInt64(number)] { hasher.combine(word) }
            let digest = hasher.finalize()
            keys[number] = Key(
                low: UInt64(digest.a) << 32 | UInt64(digest.b), high: UInt64(digest.c) << 32 | UInt64(digest.d))
        }
    }

    /// Frees the keys.
    public func deallocate() { keys.deallocate() }

    /// 64 bits for an id of at most 128 bytes.
    ///
    /// - Complexity: two multiplications per 8 bytes, and two.
    @inline(__always)
    public func hash64(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var sum = Sum(keys)
        Self.forEachWord(bytes) { sum.add($0, $1, keys) }
        return Self.mixed(sum.high)
    }

    /// 128 bits for an id of at most 128 bytes; `first` is what `hash64` gives.
    @inline(__always)
    public func hash128(_ bytes: UnsafeRawBufferPointer) -> Value {
        let otherKeys = keys + Self.keysPerHalf
        var sum = Sum(keys)
        var other = Sum(otherKeys)
        Self.forEachWord(bytes) {
            sum.add($0, $1, keys)
            other.add($0, $1, otherKeys)
        }
        return Value(first: Self.mixed(sum.high), second: Self.mixed(other.high))
    }

    /// A sum modulo 2¹²⁸.
    private struct Sum {
        var low: UInt64
        var high: UInt64

        @inline(__always)
        init(_ keys: UnsafeMutablePointer<Key>) {
            (low, high) = (keys[0].low, keys[0].high)
        }

        @inline(__always)
        mutating func add(_ word: UInt64, _ number: Int, _ keys: UnsafeMutablePointer<Key>) {
            let key = keys[number]
            let product = word.multipliedFullWidth(by: key.low)
            let (sum, carry) = low.addingReportingOverflow(product.low)
            low = sum
            // Wraps on purpose: the arithmetic is modulo 2¹²⁸.
            high = high &+ product.high &+ word &* key.high &+ (carry ? 1 : 0)
        }
    }

    /// Calls `body` with each word and the number of its key. Words overlap, which is one to one given the length.
    @inline(__always)
    private static func forEachWord(_ bytes: UnsafeRawBufferPointer, _ body: (UInt64, Int) -> Void) {
        let count = bytes.count
        precondition(count <= byteLimit, "an id has at most 128 bytes")
        body(UInt64(count), 1)
        if count > 8 {
            let start = bytes.baseAddress.unsafelyUnwrapped
            var number = 2
            var offset = 0
            while offset < count &- 8 {
                body(load8(start + offset), number)
                offset &+= 8
                number &+= 1
            }
            body(load8(start + (count &- 8)), number)
        } else if count > 0 {
            body(loadShort(bytes.baseAddress.unsafelyUnwrapped, count), 2)
        }
    }

    /// A bijection that undoes the linearity: probing in tables would suffer from arithmetic progressions.
    @inline(__always)
    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z ^= z &>> 32
        z = z &* 0x9e6c_63d0_876a_68ab
        z ^= z &>> 32
        z = z &* 0x9e6c_63d0_876a_68ab
        z ^= z &>> 28
        return z
    }
}

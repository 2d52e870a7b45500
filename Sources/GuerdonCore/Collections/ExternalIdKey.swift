/// 112 hash bits that stand for an external id.
///
/// The engine remembers ids by this key alone. For two different ids chosen without knowledge of the seed the keys are
/// equal with probability 2⁻¹¹² (see `BitHash`), so among n ids any two are with less than n²·2⁻¹¹³: 10⁻¹⁴ for 10¹⁰
/// remembered ids. What an equal key would do is refuse one action as a duplicate.
public struct ExternalIdKey: Sendable, Hashable, Comparable, BitwiseCopyable {
    /// The leading 48 bits.
    public let high: UInt64
    /// The other 64 bits.
    public let low: UInt64

    /// Shortens a hash value.
    @inline(__always)
    public init(_ value: BitHash.Value) {
        self.init(high: value.first &>> 16, low: value.second)
    }

    /// Puts a key together from its parts; bits of `high` above the 48th are dropped.
    @inline(__always)
    public init(high: UInt64, low: UInt64) {
        self.high = high & 0xffff_ffff_ffff
        self.low = low
    }

    /// Orders by `high`, then `low`: the order of sealed runs.
    public static func < (a: Self, b: Self) -> Bool {
        a.high != b.high ? a.high < b.high : a.low < b.low
    }

    /// The bits that the table under the ids keeps: its place in a `TagIndex`.
    @inline(__always)
    var indexHash: UInt64 { high &<< 16 }
}

/// What is remembered of an external id.
public struct RememberedId: Sendable, Hashable, BitwiseCopyable {
    /// The log sequence of the first command with the id, below 2⁴⁸.
    public var sequence: UInt64
    /// A hash of what that command said.
    public var content: UInt64

    /// Puts both together.
    @inline(__always)
    public init(sequence: UInt64, content: UInt64) {
        self.sequence = sequence
        self.content = content
    }

    /// What the id adds to the digest of all that a workspace remembers, which does not depend on their order.
    @inline(__always)
    public var digestTerm: UInt64 { mix(sequence, 0x5bd1_e995) }
}

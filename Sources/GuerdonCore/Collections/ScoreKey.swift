/// A score and the log position that made it, as a key of 128 bits: ascending keys are descending scores, then ascending
/// positions.
///
/// On a board thousands of members share a score, and a search that compares scores first would go on among positions nearly
/// every time. So the upper half of the key, which searches compare first, has both: six bits for the length of the score, as
/// many as it needs for the score, and the position in what is left. Up to scores of 2²⁴ that is enough for 34 thousand million
/// positions, and where it is not, the lower half decides.
enum ScoreKey {
    /// Bits of a position.
    static let sinceBits: UInt64 = 48
    /// The largest position.
    static let sinceMost: UInt64 = 1 << sinceBits - 1
    private static let lengthShift: UInt64 = 58

    /// The key of a score from 0 on and a position of at most 48 bits.
    @inline(__always)
    static func key(_ score: Int64, _ since: UInt64) -> UInt128 {
        precondition(score >= 0 && since >> sinceBits == 0, "a place on a board is beyond its bounds")
        let bits = UInt64(bitPattern: score)
        let length = UInt64(64 &- (bits | 1).leadingZeroBitCount)
        let (free, cut) = room(length)
        // The leading bit of the score, which is always set, counts the length up from one less.
        let first = (length &- 1) &<< lengthShift &+ (bits &<< free) &>> cut
        let freeMask: UInt64 = 1 &<< free &- 1
        let upper = ~first & ~freeMask | min(since, freeMask)
        let lower = (~bits & (1 &<< cut &- 1)) &<< sinceBits | since
        return UInt128(upper) &<< 64 | UInt128(lower)
    }

    /// The score of a key.
    @inline(__always)
    static func score(_ key: UInt128) -> Int64 {
        let first = ~UInt64(truncatingIfNeeded: key &>> 64)
        let length = first &>> lengthShift
        if length == 0 { return 0 }
        let (free, cut) = room(length)
        let rest = (first & (1 &<< lengthShift &- 1)) &>> free
        let lowest = ~UInt64(truncatingIfNeeded: key) &>> sinceBits & (1 &<< cut &- 1)
        return Int64(bitPattern: 1 &<< (length &- 1) | rest &<< cut | lowest)
    }

    /// The position of a key.
    @inline(__always)
    static func since(_ key: UInt128) -> UInt64 { UInt64(truncatingIfNeeded: key) & sinceMost }

    /// Bits of the upper half that a score of a length leaves to the position, and bits of the score that it has no room for.
    @inline(__always)
    private static func room(_ length: UInt64) -> (free: UInt64, cut: UInt64) {
        // Scores that long are so rare that it costs nothing to ask.
        if length > 59 { return (0, length &- 59) }
        return (59 &- length, 0)
    }
}

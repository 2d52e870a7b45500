/// Counts of durations in buckets whose width grows with the value: every quantile is right to better than 1 %.
///
/// 128 buckets for each power of two, as in an HDR histogram; recording is an addition, whatever the count.
public struct Histogram: Sendable {
    private static let subBits = 7
    private static let subCount = 1 << subBits

    private var counts = [Int64](repeating: 0, count: (64 - subBits + 1) << subBits)
    /// How many values were recorded.
    public private(set) var count: Int64 = 0
    /// The largest value recorded, exactly; 0 when there is none.
    public private(set) var max: Int64 = 0

    /// Creates an empty histogram.
    public init() {}

    /// Records a value of nanoseconds, at least 0, that was seen `times` times.
    ///
    /// - Complexity: O(1).
    public mutating func record(_ value: Int64, times: Int64 = 1) {
        precondition(value >= 0 && times >= 0)
        counts[Self.index(of: value)] += times
        count += times
        if times > 0, value > max { max = value }
    }

    /// The value that `quantile` (0 to 1) of all values do not exceed; 0 when there are none.
    ///
    /// - Complexity: O(buckets).
    public func value(at quantile: Double) -> Int64 {
        let wanted = Swift.max(1, Int64((quantile * Double(count)).rounded(.up)))
        var seen: Int64 = 0
        for (index, times) in counts.enumerated() where times > 0 {
            seen += times
            if seen >= wanted { return Swift.min(Self.upperBound(of: index), max) }
        }
        return max
    }

    private static func index(of value: Int64) -> Int {
        let octave = 63 - (UInt64(value) | 1).leadingZeroBitCount
        let shift = Swift.max(0, octave - subBits)
        let group = octave < subBits ? 0 : shift + 1
        let offset = group == 0 ? Int(value) : Int(value >> shift) - subCount
        return group << subBits + offset
    }

    private static func upperBound(of index: Int) -> Int64 {
        let group = index >> subBits
        let offset = Int64(index & (subCount - 1))
        guard group > 0 else { return offset }
        let shift = group - 1
        return Int64(clamping: (UInt64(offset + Int64(subCount) + 1) << UInt64(shift)) - 1)
    }
}

/// An instant with nanoseconds, from the start of year 1 to the end of year 9999.
public struct CELTimestamp: Sendable, Hashable, Comparable {
    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    public let seconds: Int64
    /// Nanoseconds within the second, 0 to 999,999,999.
    public let nanoseconds: UInt32

    /// 0001-01-01T00:00:00Z.
    static let secondsMin: Int64 = -62_135_596_800
    /// 9999-12-31T23:59:59Z.
    static let secondsMax: Int64 = 253_402_300_799

    /// Makes an instant, or nil outside the years 0001 to 9999 or for nanoseconds above 999,999,999.
    public init?(seconds: Int64, nanoseconds: UInt32 = 0) {
        guard seconds >= CELTimestamp.secondsMin, seconds <= CELTimestamp.secondsMax, nanoseconds < 1_000_000_000
        else { return nil }
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Makes an instant from nanoseconds since 1970, which reach from 1677 to 2262.
    public init(nanosecondsSinceEpoch total: Int64) {
        let (quotient, remainder) = total.quotientAndRemainder(dividingBy: 1_000_000_000)
        seconds = remainder < 0 ? quotient - 1 : quotient
        nanoseconds = UInt32(remainder < 0 ? remainder + 1_000_000_000 : remainder)
    }

    private init?(total: Int128) {
        let (quotient, remainder) = total.quotientAndRemainder(dividingBy: 1_000_000_000)
        self.init(
            seconds: Int64(remainder < 0 ? quotient - 1 : quotient),
            nanoseconds: UInt32(remainder < 0 ? remainder + 1_000_000_000 : remainder))
    }

    private var total: Int128 { Int128(seconds) * 1_000_000_000 + Int128(nanoseconds) }

    /// Whether `left` is earlier.
    public static func < (left: CELTimestamp, right: CELTimestamp) -> Bool {
        left.seconds != right.seconds ? left.seconds < right.seconds : left.nanoseconds < right.nanoseconds
    }

    /// The instant moved by a span, or `overflow` outside the years 0001 to 9999.
    func advanced(by span: CELDuration) throws(CELEvaluationError) -> CELTimestamp {
        guard let moved = CELTimestamp(total: total + Int128(span.nanoseconds)) else {
            throw CELEvaluationError(.overflow, "the timestamp is out of range")
        }
        return moved
    }

    /// The instant moved back by a span, or `overflow` outside the years 0001 to 9999.
    func retreated(by span: CELDuration) throws(CELEvaluationError) -> CELTimestamp {
        guard let moved = CELTimestamp(total: total - Int128(span.nanoseconds)) else {
            throw CELEvaluationError(.overflow, "the timestamp is out of range")
        }
        return moved
    }

    /// The span from `other` to this instant, or `overflow` beyond what a duration holds.
    func since(_ other: CELTimestamp) throws(CELEvaluationError) -> CELDuration {
        guard let nanoseconds = Int64(exactly: total - other.total) else {
            throw CELEvaluationError(.overflow, "the duration is out of range")
        }
        return CELDuration(nanoseconds: nanoseconds)
    }
}

/// A signed span of time in nanoseconds, about 292 years each way.
public struct CELDuration: Sendable, Hashable, Comparable {
    /// The span in nanoseconds.
    public let nanoseconds: Int64

    /// Makes a span.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Whether `left` is the lesser span; negative ones are least.
    public static func < (left: CELDuration, right: CELDuration) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    static func + (left: CELDuration, right: CELDuration) throws(CELEvaluationError) -> CELDuration {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
        if overflow { throw CELEvaluationError(.overflow, "the duration is out of range") }
        return CELDuration(nanoseconds: sum)
    }

    static func - (left: CELDuration, right: CELDuration) throws(CELEvaluationError) -> CELDuration {
        let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        if overflow { throw CELEvaluationError(.overflow, "the duration is out of range") }
        return CELDuration(nanoseconds: difference)
    }

    func negated() throws(CELEvaluationError) -> CELDuration {
        try CELDuration(nanoseconds: 0) - self
    }
}

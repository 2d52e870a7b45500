/// A time zone with its UTC offsets spelled out, so that the log holds all that replay needs.
public struct ZoneTable: Sendable, Hashable {
    /// From `start` on, local time is UTC + `offset`.
    public struct Span: Sendable, Hashable {
        /// Seconds since 1970.
        public var start: Int64
        /// Seconds east of UTC.
        public var offset: Int32

        public init(start: Int64, offset: Int32) {
            self.start = start
            self.offset = offset
        }
    }

    /// IANA name.
    public var name: Text
    /// In order of `start`; the first one also holds for all times before it. Never empty.
    public var spans: [Span]

    /// Creates a zone; `spans` are in order and not empty.
    public init(name: Text, spans: [Span]) {
        precondition(!spans.isEmpty)
        self.name = name
        self.spans = spans
    }

    /// Coordinated universal time.
    public static let utc = ZoneTable(name: "UTC", spans: [Span(start: 0, offset: 0)])

    /// Seconds east of UTC at an instant, and the half-open interval of instants (in seconds) for which that holds.
    ///
    /// - Complexity: O(log n) in the number of spans.
    public func offset(at seconds: Int64) -> (offset: Int32, from: Int64, until: Int64) {
        var low = 0
        var high = spans.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if spans[middle].start <= seconds { low = middle } else { high = middle }
        }
        let from = low == 0 ? Int64.min : spans[low].start
        let until = low + 1 < spans.count ? spans[low + 1].start : Int64.max
        return (spans[low].offset, from, until)
    }

    /// The instant (seconds since 1970) at which the local day `day` (days since 1970-01-01) begins.
    public func startOfDay(_ day: Int64) -> Int64 {
        // A local midnight t satisfies t = day * 86400 - offset(t). Where a zone skips midnight, the day starts at the jump.
        let local = day * 86_400
        for span in spans.indices {
            let offset = Int64(spans[span].offset)
            let from = span == 0 ? Int64.min : spans[span].start
            let until = span + 1 < spans.count ? spans[span + 1].start : Int64.max
            let instant = local - offset
            if instant < from { return from }
            if instant < until { return instant }
        }
        return local - Int64(spans[spans.count - 1].offset)
    }
}

/// The first day of a week.
public enum WeekStart: UInt8, Sendable, CaseIterable {
    case monday = 0
    case sunday = 1
    case saturday = 2

    /// Days that a date is moved on before its ISO week is taken.
    var shift: Int64 { Int64(rawValue) }
}

/// Days and dates of the proleptic Gregorian calendar, by arithmetic alone.
public enum CivilDate {
    /// Year, month and day of a number of days since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
    public static func date(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    /// Days since 1970-01-01 of a date; the inverse of ``date(fromDays:)``.
    public static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// Days of a month.
    public static func length(ofMonth month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// An ISO 8601 duration: calendar part first, then exact time.
public struct CalendarDuration: Sendable, Hashable {
    public var months: Int32
    public var days: Int32
    public var seconds: Int64

    /// `months` includes years (12 each), `days` weeks (7 each); all non-negative.
    public init(months: Int32 = 0, days: Int32 = 0, seconds: Int64 = 0) {
        self.months = months
        self.days = days
        self.seconds = seconds
    }

    /// `time` (nanoseconds since 1970) plus this, in UTC with the day clamped to the month; `nil` beyond ``Limits/times``.
    public func added(to time: Int64) -> Int64? {
        var result = time
        if months != 0 {
            let second = 1_000_000_000 as Int64
            let dayNanos = 86_400 * second
            let day = time >= 0 ? time / dayNanos : -((dayNanos - 1 - time) / dayNanos)
            let date = CivilDate.date(fromDays: day)
            let index = date.year * 12 + (date.month - 1) + Int64(months)
            let year = index / 12
            let month = index % 12 + 1
            let clamped = min(date.day, CivilDate.length(ofMonth: month, year: year))
            let target = CivilDate.days(year: year, month: month, day: clamped)
            guard target.magnitude < 106_000 else { return nil }
            result = target * dayNanos + (time - day * dayNanos)
        }
        let (whole, tooLong) = seconds.addingReportingOverflow(Int64(days) * 86_400)
        guard !tooLong, whole < 20_000_000_000 else { return nil }
        let sum = Int128(result) + Int128(whole) * 1_000_000_000
        guard sum < Int128(Limits.times.upperBound) else { return nil }
        return Int64(sum)
    }
}

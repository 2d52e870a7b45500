/// The parts of instants and spans: `getHours()` and its kin.
enum Accessors {
    static func part(
        _ function: CELFunction, of value: CELValue, inZone zone: CELValue?, _ timeZones: CELEnvironment.TimeZoneLookup?
    ) throws(CELEvaluationError) -> CELValue {
        switch (value, zone) {
        case (.timestamp(let moment), nil): return .int(Int64(part(function, of: moment, offset: 0)))
        case (.timestamp(let moment), .string(let name)?):
            let offset = try TimeZoneName.offset(of: name, at: moment.seconds, timeZones)
            return .int(Int64(part(function, of: moment, offset: offset)))
        case (.duration(let span), nil):
            if let part = part(function, of: span) { return .int(part) }
        default: break
        }
        throw Arithmetic.noOverload(function, [value] + (zone.map { [$0] } ?? []))
    }

    private static func part(_ function: CELFunction, of moment: CELTimestamp, offset: Int) -> Int {
        let civil = CivilTime(seconds: moment.seconds + Int64(offset))
        switch function {
        case .getDate: return civil.date.day
        case .getDayOfMonth: return civil.date.day - 1
        case .getDayOfWeek: return civil.dayOfWeek
        case .getDayOfYear: return civil.date.dayOfYear
        case .getFullYear: return civil.date.year
        case .getMonth: return civil.date.month - 1
        case .getHours: return civil.hour
        case .getMinutes: return civil.minute
        case .getSeconds: return civil.second
        default: return Int(moment.nanoseconds / 1_000_000)
        }
    }

    /// Whole hours, minutes or seconds of the span; the milliseconds are those within its second.
    private static func part(_ function: CELFunction, of span: CELDuration) -> Int64? {
        switch function {
        case .getHours: span.nanoseconds / 3_600_000_000_000
        case .getMinutes: span.nanoseconds / 60_000_000_000
        case .getSeconds: span.nanoseconds / 1_000_000_000
        case .getMilliseconds: span.nanoseconds / 1_000_000 % 1_000
        default: nil
        }
    }
}

/// Time zones as expressions name them.
enum TimeZoneName {
    /// Seconds east of UTC: `UTC`, `+02:00`, `-02:00` and `02:00` by themselves, all else through the lookup.
    static func offset(
        of name: String, at seconds: Int64, _ timeZones: CELEnvironment.TimeZoneLookup?
    ) throws(CELEvaluationError) -> Int {
        if name == "UTC" || name == "Z" || name.isEmpty { return 0 }
        if let fixed = fixedOffset(name) { return fixed }
        // A zone further out than a day is a broken table, and would leave the calendar's range.
        guard let offset = timeZones?(name, seconds), abs(offset) <= 86_400 else {
            let reason = timeZones == nil ? "named time zones are not available here" : "unknown time zone"
            throw CELEvaluationError(.invalidArgument, reason, .string(name))
        }
        return offset
    }

    private static func fixedOffset(_ name: String) -> Int? {
        var bytes = Array(name.utf8)[...]
        let west = bytes.first == UInt8(ascii: "-")
        if west || bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy(\.isDigit) }) else { return nil }
        let numbers = parts.map { $0.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } }
        guard numbers[0] <= 23, numbers[1] <= 59 else { return nil }
        let offset = numbers[0] * 3_600 + numbers[1] * 60
        return west ? -offset : offset
    }
}

/// A calendar date of the proleptic Gregorian calendar.
struct CivilDate: Hashable, Comparable {
    var year: Int
    var month: Int
    var day: Int

    static func < (left: CivilDate, right: CivilDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }

    static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The date `dayNumber` days after 1970-01-01, found year by year and month by month.
    init(dayNumber: Int) {
        // 400 years are exactly 146,097 days, so whole cycles can be taken off first.
        let cycles = Int((Double(dayNumber) / 146_097).rounded(.down))
        var left = dayNumber - cycles * 146_097
        year = 1970 + cycles * 400
        while left >= (CivilDate.isLeap(year) ? 366 : 365) {
            left -= CivilDate.isLeap(year) ? 366 : 365
            year += 1
        }
        month = 1
        while left >= CivilDate.days(inMonth: month, of: year) {
            left -= CivilDate.days(inMonth: month, of: year)
            month += 1
        }
        day = left + 1
    }

    init(_ year: Int, _ month: Int, _ day: Int) {
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// Reads `YYYY-MM-DD`; `nil` for anything else and for days that do not exist.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.count) == [4, 2, 2], parts.joined().allSatisfy({ $0.isASCII && $0.isNumber }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]), (1...12).contains(month),
            (1...CivilDate.days(inMonth: month, of: year)).contains(day)
        else { return nil }
        self.init(year, month, day)
    }

    /// Days since 1970-01-01.
    var dayNumber: Int {
        let before = year - 1
        let leaps = before / 4 - before / 100 + before / 400
        let months = (1..<month).reduce(0) { $0 + CivilDate.days(inMonth: $1, of: year) }
        return before * 365 + leaps + months + day - 1 - 719_162
    }

    /// Monday is 1, Sunday is 7.
    var isoWeekday: Int { ((dayNumber + 3) % 7 + 7) % 7 + 1 }

    func adding(days: Int) -> CivilDate { CivilDate(dayNumber: dayNumber + days) }

    var text: String { padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) }
}

func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

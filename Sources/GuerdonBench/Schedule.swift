/// When each line of an open-loop load is due: evenly, so many a second, whatever the answers do.
struct Schedule: Sendable {
    /// When the first line is due, in nanoseconds of the monotonic clock.
    let start: Int64
    private let interval: Double

    /// - Parameter rate: lines a second, more than 0.
    init(start: Int64, rate: Double) {
        precondition(rate > 0)
        self.start = start
        interval = 1e9 / rate
    }

    /// When a line is due, counted from 0.
    func due(_ number: Int) -> Int64 { start + Int64(Double(number) * interval) }

    /// How many lines are due by a time.
    func count(by time: Int64) -> Int {
        guard time >= start else { return 0 }
        var count = Int(Double(time - start) / interval) + 1
        // Division and multiplication may round apart.
        while count > 0, due(count - 1) > time { count -= 1 }
        while due(count) <= time { count += 1 }
        return count
    }
}

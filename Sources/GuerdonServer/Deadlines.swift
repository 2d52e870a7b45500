import GuerdonCore
import GuerdonWire

/// What a connection owes, and since when; looked at now and then rather than with a timer for every line.
struct Deadlines {
    /// When a line was first seen unfinished; `nil` when there is none, or when the server itself holds it up.
    var lineSince: ContinuousClock.Instant?
    /// Bytes of replies that the client had taken when it last took some, and since when it takes no more.
    private var taken = -1
    private var stalledSince: ContinuousClock.Instant?
    /// When everything was said to a client that has not closed yet.
    private var doneSince: ContinuousClock.Instant?

    /// Whether the line at hand has taken longer than `limit`; `nil` for no limit.
    mutating func isLineLate(_ isUnfinished: Bool, now: ContinuousClock.Instant, limit: Duration?) -> Bool {
        guard isUnfinished, let limit else {
            lineSince = nil
            return false
        }
        return Deadlines.isOver(&lineSince, now, limit)
    }

    /// Whether nothing was taken for `limit` although something is there; `taken` counts up.
    mutating func isStalled(_ isWaiting: Bool, taken: Int, now: ContinuousClock.Instant, limit: Duration?) -> Bool {
        if !isWaiting || taken != self.taken { stalledSince = nil }
        self.taken = taken
        guard isWaiting, let limit else { return false }
        return Deadlines.isOver(&stalledSince, now, limit)
    }

    /// Whether a client that has been told everything has had its time to close.
    mutating func isDone(_ isAnswered: Bool, now: ContinuousClock.Instant) -> Bool {
        guard isAnswered else {
            doneSince = nil
            return false
        }
        return Deadlines.isOver(&doneSince, now, .seconds(1))
    }

    private static func isOver(
        _ since: inout ContinuousClock.Instant?, _ now: ContinuousClock.Instant, _ limit: Duration
    ) -> Bool {
        guard let start = since else {
            since = now
            return false
        }
        return now - start >= limit
    }
}

extension ServerLimits {
    /// The longest wait for the rest of a line.
    var lineTime: Duration? { ServerLimits.time(lineSeconds) }
    /// The longest wait for a client that has replies to read.
    var replyTime: Duration? { ServerLimits.time(replySeconds) }

    /// How often deadlines are looked at: every second, more often where they are short.
    var deadlineInterval: Duration {
        let shortest = [lineTime, replyTime].compactMap(\.self).min() ?? .seconds(4)
        return min(.seconds(1), max(shortest / 4, .milliseconds(5)))
    }

    private static func time(_ seconds: Double) -> Duration? { seconds > 0 ? .seconds(min(seconds, 1e9)) : nil }

    /// The refusal of a line that does not end.
    var lateLine: Refusal {
        let time = lineSeconds == lineSeconds.rounded() ? String(Int(lineSeconds)) : String(lineSeconds)
        return Refusal(
            .limitExceeded,
            "A line was not finished within \(time) s; the connection is closed. Send lines whole, and connect again.")
    }
}

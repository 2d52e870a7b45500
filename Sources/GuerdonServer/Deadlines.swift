import Glibc
import GuerdonCore
import GuerdonWire
import NIOCore

/// What a connection owes, and since when; looked at now and then rather than with a timer for every line.
struct Deadlines {
    /// When a line was first seen unfinished; `nil` when there is none, or when the server itself holds it up.
    var lineSince: NIODeadline?
    /// Bytes of replies that the client had taken when it last took some, and since when it takes no more.
    private var taken = -1
    private var stalledSince: NIODeadline?
    /// When everything was said to a client that has not closed yet.
    private var doneSince: NIODeadline?

    /// Whether the line at hand has taken longer than `limit`; `nil` for no limit.
    mutating func isLineLate(_ isUnfinished: Bool, now: NIODeadline, limit: TimeAmount?) -> Bool {
        guard isUnfinished, let limit else {
            lineSince = nil
            return false
        }
        return Deadlines.isOver(&lineSince, now, limit)
    }

    /// Whether nothing was taken for `limit` although something is there; `taken` counts up.
    mutating func isStalled(_ isWaiting: Bool, taken: Int, now: NIODeadline, limit: TimeAmount?) -> Bool {
        if !isWaiting || taken != self.taken { stalledSince = nil }
        self.taken = taken
        guard isWaiting, let limit else { return false }
        return Deadlines.isOver(&stalledSince, now, limit)
    }

    /// Whether a client that has been told everything has had its time to close.
    mutating func isDone(_ isAnswered: Bool, now: NIODeadline) -> Bool {
        guard isAnswered else {
            doneSince = nil
            return false
        }
        return Deadlines.isOver(&doneSince, now, .seconds(1))
    }

    private static func isOver(_ since: inout NIODeadline?, _ now: NIODeadline, _ limit: TimeAmount) -> Bool {
        guard let start = since else {
            since = now
            return false
        }
        return now - start >= limit
    }
}

extension ServerLimits {
    /// The longest wait for the rest of a line.
    var lineTime: TimeAmount? { ServerLimits.time(lineSeconds) }
    /// The longest wait for a client that has replies to read.
    var replyTime: TimeAmount? { ServerLimits.time(replySeconds) }

    /// How often deadlines are looked at: every second, more often where they are short.
    var deadlineInterval: TimeAmount {
        let shortest = [lineTime, replyTime].compactMap { $0?.nanoseconds }.min() ?? .max
        return .nanoseconds(min(1_000_000_000, max(shortest / 4, 5_000_000)))
    }

    private static func time(_ seconds: Double) -> TimeAmount? {
        seconds > 0 ? .nanoseconds(Int64(min(seconds, 1e9) * 1e9)) : nil
    }

    /// The refusal of a line that does not end.
    var lateLine: Refusal {
        let time = lineSeconds == lineSeconds.rounded() ? String(Int(lineSeconds)) : String(lineSeconds)
        return Refusal(
            .limitExceeded,
            "A line was not finished within \(time) s; the connection is closed. Send lines whole, and connect again.")
    }
}

extension Channel {
    /// Bytes that were written and that the other side has not taken: buffered here, and in the kernel.
    ///
    /// The kernel takes more from us only when much of its buffer is free, long after a slow reader has begun to read.
    var bytesUnderWay: Int {
        let buffered = (try? syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        let queued = try? pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { socket in
            var count: CInt = 0
            return ioctl(socket, UInt(TIOCOUTQ), &count) == 0 ? Int(count) : 0
        }
        return buffered + (queued ?? 0)
    }
}

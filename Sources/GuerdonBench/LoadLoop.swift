import Glibc
import GuerdonClient

/// Keeps connections full of lines in flight, on the calling thread.
///
/// The loop is closed: a connection sends as many lines as were answered. One wake-up handles every connection that
/// has answers, with one read and one write each.
final class LoadLoop {
    private let connections: [LoadConnection]
    private var polled: [pollfd]

    /// The results of one run.
    struct Run: Sendable {
        var counts = LoadCounts()
        var latencies = Histogram()
        var nanoseconds: Int64 = 0
    }

    /// Opens the connections.
    init(
        to endpoint: Endpoint, connections count: Int, window: Int, acknowledgement: Acknowledgement
    ) throws(ClientError) {
        var connections: [LoadConnection] = []
        for _ in 0..<count {
            connections.append(try LoadConnection(to: endpoint, window: window, acknowledgement: acknowledgement))
        }
        self.connections = connections
        polled = connections.map { pollfd(fd: $0.socket.descriptor, events: Int16(POLLIN), revents: 0) }
    }

    /// Sends the lines of a source until it is empty or told to stop, and waits for the last answer.
    ///
    /// - Parameters:
    ///   - shouldStop: asked at every wake-up with the time since the start in nanoseconds and the counts so far.
    /// - Throws: ``ClientError`` when a connection ends.
    func run<Source: LineSource>(
        _ source: inout Source, shouldStop: (Int64, LoadCounts) -> Bool
    ) throws(ClientError) -> Run {
        var run = Run()
        let start = monotonicNanoseconds()
        var hasMore = true
        for index in connections.indices {
            hasMore = try refill(index, &source, hasMore: hasMore, at: start, counts: &run.counts)
        }
        while !(connections.allSatisfy { $0.isIdle }) {
            poll(&polled, nfds_t(polled.count), 100)
            for index in polled.indices where polled[index].revents != 0 {
                if polled[index].revents & ~Int16(POLLOUT) != 0 {
                    try connections[index].receive(latencies: &run.latencies, counts: &run.counts)
                }
                let now = monotonicNanoseconds()
                hasMore = try refill(index, &source, hasMore: hasMore, at: now, counts: &run.counts)
            }
            if hasMore, shouldStop(monotonicNanoseconds() - start, run.counts) { hasMore = false }
        }
        run.nanoseconds = monotonicNanoseconds() - start
        return run
    }

    /// Fills a connection's window and writes; returns whether the source has more.
    private func refill<Source: LineSource>(
        _ index: Int, _ source: inout Source, hasMore: Bool, at now: Int64, counts: inout LoadCounts
    ) throws(ClientError) -> Bool {
        let connection = connections[index]
        var hasMore = hasMore
        if hasMore { hasMore = connection.refill(from: &source, at: now, counts: &counts) }
        if case .ended(let reason) = connection.flush() {
            throw ClientError(.disconnected, "the server ended a connection under load: \(reason)")
        }
        polled[index].events = Int16(connection.hasUnwritten ? POLLIN | POLLOUT : POLLIN)
        return hasMore
    }
}

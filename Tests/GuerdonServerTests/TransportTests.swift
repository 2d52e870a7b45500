import Foundation
import Synchronization
import TestSupport
import Testing

@testable import GuerdonServer

/// The event loop and the buffers of its sockets. RELIABILITY: faults N2, N4, N8.
@Suite struct TransportTests {
    /// Tasks of several threads, and those that tasks ask for, each in its order.
    @Test func tasksAreDoneInTheOrderInWhichTheyWereAskedFor() throws {
        let loop = EventLoop()
        defer { loop.close() }
        let done = Log()
        let threads = (0..<4).map { number in
            Thread {
                for index in 0..<500 {
                    loop.execute {
                        done.add(number, index * 2)
                        loop.execute { done.add(number + 4, index) }
                    }
                }
            }
        }
        for thread in threads { thread.start() }
        try waitFor { try loop.submit { done.entries.count } == 4000 }
        for number in 0..<4 {
            #expect(done.entries.filter { $0.0 == number }.map(\.1) == (0..<500).map { $0 * 2 })
            #expect(done.entries.filter { $0.0 == number + 4 }.map(\.1) == Array(0..<500))
        }
    }

    @Test func timersAreDoneWhenTheyAreDueUnlessCancelled() throws {
        let loop = EventLoop()
        defer { loop.close() }
        let done = Log()
        let start = ContinuousClock.now
        try loop.submit {
            loop.schedule(in: .milliseconds(60)) {
                done.add(2, (ContinuousClock.now - start) >= .milliseconds(60) ? 1 : 0)
            }
            let cancelled = loop.schedule(in: .milliseconds(10)) { done.add(0, 0) }
            // One timer may cancel another.
            loop.schedule(in: .milliseconds(5)) {
                cancelled.cancel()
                done.add(1, (ContinuousClock.now - start) >= .milliseconds(5) ? 1 : 0)
            }
        }
        try waitFor { try loop.submit { done.entries.count } == 2 }
        #expect(done.entries.map(\.0) == [1, 2])
        #expect(done.entries.allSatisfy { $0.1 == 1 })
    }

    /// A descriptor that is closed and given out again in one turn: what was told of the old one must not reach the new one.
    @Test func eventsOfAClosedSocketDoNotReachTheNextOneWithItsNumber() throws {
        let loop = EventLoop()
        defer { loop.close() }
        let done = Log()
        var pairs: [(CInt, CInt)] = []
        for _ in 0..<2 {
            var ends: [CInt] = [0, 0]
            try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
            pairs.append((ends[0], ends[1]))
        }
        let (first, second) = (pairs[0], pairs[1])
        let spare = dup(second.0)
        defer { for end in [first.1, second.1, spare] { close(end) } }
        // Whichever is told first closes the other one's descriptor, and opens it again as another socket.
        try loop.submit {
            let watchers = [first.0, second.0].map { Probe($0) }
            for (index, probe) in watchers.enumerated() {
                probe.isReady = { [unowned other = watchers[1 - index]] in
                    done.add(index, 0)
                    loop.remove(probe.descriptor)
                    loop.remove(other.descriptor)
                    dup2(spare, other.descriptor)
                    let late = Probe(other.descriptor)
                    late.isReady = { done.add(9, 0) }
                    _ = loop.add(other.descriptor, .output, late)
                    loop.remove(other.descriptor)
                    _ = loop.add(other.descriptor, [], late)
                }
                #expect(loop.add(probe.descriptor, .input, probe))
            }
            // Both have something in the same turn.
            for end in [first.1, second.1] { _ = "x".withCString { write(end, $0, 1) } }
        }
        try waitFor { try loop.submit { done.entries.count } > 0 }
        pause(milliseconds: 20)
        #expect(try loop.submit { done.entries.count } == 1)
        for end in [first.0, second.0] { close(end) }
    }

    /// Random reads, uses and settlements, beside a plain array; two connections share the buffer.
    @Test(arguments: 0..<8) func receivedBytesAreTheBytesThatWereSent(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 70 << 10, alignment: 64)
        defer { buffer.deallocate() }
        var ends: [CInt] = [0, 0]
        try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        var received = ReceivedBytes()
        var model: [UInt8] = []
        var unread: [UInt8] = []
        for _ in 0..<400 {
            switch random.next() % 4 {
            case 0:
                let bytes = (0..<Int(random.next() % 9000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                let sent = max(0, bytes.withUnsafeBytes { send(ends[0], $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) })
                unread += bytes[..<sent]
            case 1:
                let count = received.receive(from: ends[1], through: buffer)
                #expect(count == unread.count || unread.isEmpty && count == -1 || count > 0)
                model += unread.prefix(max(0, count))
                unread.removeFirst(max(0, count))
                // What is left over must survive whatever others do with the buffer.
                if random.next() % 2 == 0 { use(&received, &model, &random) }
                received.settle()
                for index in buffer.indices { buffer[index] = 0xee }
            case 2:
                use(&received, &model, &random)
                if random.next() % 2 == 0 { received.settle() }
            default:
                received.append(10)
                model.append(10)
            }
            #expect(received.count == model.count)
            #expect(received.bytes.elementsEqual(model))
        }
    }

    private func use(_ received: inout ReceivedBytes, _ model: inout [UInt8], _ random: inout SplitMix64) {
        let count = random.next() % 3 == 0 ? model.count : Int(random.next() % UInt64(model.count + 1))
        received.removeFirst(count)
        model.removeFirst(count)
    }

    /// What happened on the loop, in order.
    private final class Log: @unchecked Sendable {
        // Sendable: added to on the loop's thread only, and read when it has nothing to add any more.
        private(set) var entries: [(Int, Int)] = []
        func add(_ number: Int, _ index: Int) { entries.append((number, index)) }
    }

    private final class Probe: Watched {
        let descriptor: CInt
        var isReady: () -> Void = {}
        init(_ descriptor: CInt) { self.descriptor = descriptor }
        func ready(_ events: EventLoop.Interest) { isReady() }
    }
}

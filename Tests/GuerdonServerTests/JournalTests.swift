import Foundation
import GuerdonCore
import GuerdonStore
import Synchronization
import TestSupport
import Testing

@testable import GuerdonEngine

/// The journal with two threads that write: its own, and the evaluating one with small batches.
@Suite struct JournalTests {
    private func withLog(_ body: (WriteAheadLog) throws -> Void) throws {
        try TemporaryDirectory.with { place in
            let path = place + "/data"
            try DataDirectory.create(at: path)
            try body(try WriteAheadLog.open(in: DataDirectory.open(at: path, .readWrite)))
        }
    }

    private func batch(_ number: Int) -> CommandBatch {
        let batch = CommandBatch()
        batch.append(.tick)
        batch.firstSequence = UInt64(number)
        batch.time = Int64(number)
        return batch
    }

    @Test func sealingNeverMeetsAWriter() throws {
        try withLog { log in
            let journal = Journal(log: log) { error in Issue.record(error) }
            let done = Atomic(0)
            for number in 1...150 {
                #expect(journal.waitUntilIdle())
                // The journal seals when nothing came for 10 ms: now and then the next batch comes just then.
                if number % 3 == 0 { usleep(UInt32(9_000 + number * 37 % 2_500)) }
                if number % 2 == 0 {
                    try journal.perform(batch(number), during: {}, release: {})
                    done.add(1, ordering: .relaxed)
                } else {
                    journal.submit([batch(number)]) { done.add(1, ordering: .relaxed) }
                }
            }
            #expect(journal.waitUntilIdle())
            journal.close()
            #expect(done.load(ordering: .relaxed) == 150)
            #expect(log.lastSequence == 150)
        }
    }

    @Test func whatIsPerformedElsewhereIsSealedToo() throws {
        try withLog { log in
            let journal = Journal(log: log) { error in Issue.record(error) }
            try journal.perform(batch(1), during: {}, release: {})
            let written = log.bytesAppended
            // A seal is one more record.
            let deadline = ContinuousClock.now + .seconds(20)
            while log.bytesAppended == written, ContinuousClock.now < deadline { usleep(5_000) }
            #expect(log.bytesAppended > written)
            journal.close()
        }
    }
}

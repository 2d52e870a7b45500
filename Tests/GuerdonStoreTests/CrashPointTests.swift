import Glibc
import GuerdonCore
import TestSupport
import Testing

@testable import GuerdonStore

/// A script over log, archive, snapshots and history, cut at every single file operation, also while it recovers.
struct CrashPointTests {
    /// What the script was told is durable.
    struct Acknowledged {
        var batches: [Batch] = []
        var snapshot: UInt64 = 0
    }

    static func posting(_ sequence: UInt64) -> Posting {
        Posting(
            sequence: sequence, previous: sequence - 1, amount: Int64(sequence) * 3, workspace: 0, member: 7,
            currency: 0,
            kind: .reward)
    }

    /// Opens, replays what the history lacks, goes on for a while; everything acknowledged is noted.
    static func run(_ path: String, _ faults: FaultPlan?, _ noted: inout Acknowledged, steps: Int) throws(StoreError) {
        let directory = try DataDirectory.open(at: path, .readWrite, faults: faults)
        let wal = try WriteAheadLog.open(in: directory, segmentBytes: 4096)
        let history = try History.open(in: directory)
        try replay(wal.log, into: history, directory)
        for step in 0..<steps {
            let batch = Batch.sample(wal.lastSequence + 1, length: step * 131 % 900, seed: wal.lastSequence)
            try wal.append(batch)
            try append(batch.first, to: history)
            if step % 2 == 1 {
                try wal.sync()
                noted.batches = try wal.log.all()
            }
            if step % 8 == 5 { try wal.seal() }
            if step % 8 == 7 { try wal.log.archiveSealedSegments() }
            if step % 10 == 9 {
                let writer = try SnapshotWriter(in: directory, sequence: wal.lastSequence, chain: wal.chain, time: 0)
                try writer.write(section: 1, batch.payload)
                try history.flush(through: wal.lastSequence, sync: true)
                try writer.finish()
                noted.snapshot = wal.lastSequence
            }
        }
    }

    static func append(_ sequence: UInt64, to history: History) throws(StoreError) {
        try [posting(sequence)].span.withUnsafeBufferPointer { run throws(StoreError) in try history.append(run) }
    }

    /// As an engine does: from the newest snapshot that the history reaches.
    static func replay(_ log: BatchLog, into history: History, _ directory: DataDirectory) throws(StoreError) {
        let choice = try Snapshots.newestValid(in: directory, atMost: history.coveredThrough)
        let info = choice.reader?.info
        var reader = try log.reader(from: (info?.sequence ?? 0) + 1, chain: info?.chain)
        while let record = try reader.next() { try append(record.info.firstSequence, to: history) }
    }

    static func expectWhole(_ path: String, _ noted: Acknowledged, _ label: String) throws {
        var later = noted
        try run(path, nil, &later, steps: 0)
        let directory = try DataDirectory.open(at: path, .readWrite)
        let wal = try WriteAheadLog.open(in: directory, segmentBytes: 4096)
        let found = try wal.log.all()
        #expect(Array(found.prefix(noted.batches.count)) == noted.batches, "\(label)")
        let choice = try Snapshots.newestValid(in: directory)
        #expect(choice.rejected.isEmpty, "\(label)")
        #expect((choice.reader?.info.sequence ?? 0) >= noted.snapshot, "\(label)")
        let history = try History.open(in: directory)
        #expect(history.coveredThrough >= noted.snapshot, "\(label)")
        try replay(wal.log, into: history, directory)
        for batch in found {
            let postings = try history.postings(at: batch.first)
            #expect(postings == [posting(batch.first)], "\(label)")
        }
        #expect(!Scratch.names(path + "/snapshots").contains { $0.hasSuffix(".tmp") })
    }

    @Test func everyCrashPointKeepsWhatWasAcknowledged() throws {
        let scratch = Scratch()
        let path = scratch.path + "/ledger"
        var point = 0
        var isDone = false
        while !isDone {
            TemporaryDirectory.remove(path)
            _ = try scratch.ledger()
            var noted = Acknowledged()
            // A first life that ends well, so that all kinds of file are there.
            try CrashPointTests.run(path, nil, &noted, steps: 24)
            let faults = FaultPlan()
            faults.crash(after: point)
            do throws(StoreError) {
                try CrashPointTests.run(path, faults, &noted, steps: 24)
                isDone = true
            } catch {
                #expect(error.errorNumber == EIO, "\(error)")
            }
            // The next start is cut too, somewhere else each time; the one behind it is not.
            let again = FaultPlan()
            again.crash(after: point * 7 % 60)
            var ignored = noted
            do throws(StoreError) { try CrashPointTests.run(path, again, &ignored, steps: 1) } catch {
                #expect(error.errorNumber == EIO, "\(error)")
            }
            try CrashPointTests.expectWhole(path, noted, "crash after \(point) operations")
            point += 1
        }
        #expect(point > 200)
    }
}

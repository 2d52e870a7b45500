import Glibc
import Synchronization
import TestSupport
import Testing

@testable import GuerdonStore

/// The whole store under random use against a plain array.
struct StorePropertyTests {
    @Test(arguments: Array(UInt64(1)...12))
    func randomUseEqualsAnArray(seed: UInt64) throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        var random = SplitMix64(seed: seed)
        var model: [Batch] = []
        for _ in 0..<10 {
            let directory = try DataDirectory.open(at: path, .readWrite)
            let wal = try WriteAheadLog.open(in: directory, segmentBytes: 4096 << Int.random(in: 0...2, using: &random))
            #expect(wal.recovery.tornTail == nil)
            for _ in 0..<Int.random(in: 0...40, using: &random) {
                switch Int.random(in: 0..<20, using: &random) {
                case 0: try wal.seal()
                case 1: try wal.log.archiveSealedSegments(atMost: 2)
                case 2: try wal.log.archiveSealedSegments(keepingFrom: wal.lastSequence / 2)
                case 3 where wal.lastSequence > 0:
                    try wal.sync()
                    let writer = try SnapshotWriter(
                        in: directory, sequence: wal.lastSequence, chain: wal.chain, time: 1)
                    try writer.write(section: 1, model.last?.payload ?? [])
                    try writer.finish()
                case 4...7: try wal.sync()
                default:
                    let batch = Batch.sample(
                        wal.lastSequence + 1, count: .random(in: 1...50, using: &random),
                        length: .random(in: 0...2000, using: &random), seed: random.next())
                    try wal.append(batch)
                    model.append(batch)
                }
            }
            #expect(try wal.log.all() == model)
            if let reader = try Snapshots.newestValid(in: directory).reader {
                var rest = try wal.log.reader(from: reader.info.sequence + 1, chain: reader.info.chain)
                let behind = model.filter { $0.first > reader.info.sequence }
                for batch in behind { #expect(try rest.next()?.info.firstSequence == batch.first) }
                #expect(try rest.next() == nil)
                let covered = model.last { $0.first <= reader.info.sequence }
                #expect(try SnapshotTests.read(reader).map(\.bytes) == [covered?.payload ?? []])
            }
            // Cut at any moment: what was synced is there, the rest is a prefix (here everything: nothing was lost).
            if Bool.random(using: &random), let last = model.last {
                #expect(try wal.log.batch(containing: last.first).payload == last.payload)
            }
        }
        let (log, _) = try WriteAheadLog.inspect(DataDirectory.open(at: path, .readOnly))
        #expect(try log.all() == model)
    }

    /// Readers of both kinds and the archiver, each on a thread of its own, while the journal appends.
    @Test func readersSeeWholeBatchesWhileTheJournalAppendsAndSegmentsAreArchived() async throws {
        let scratch = Scratch()
        let wal = try WriteAheadLog.open(in: DataDirectory.open(at: scratch.ledger(), .readWrite), segmentBytes: 16384)
        let log = wal.log
        let last: UInt64 = 4000
        let isDone = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for sequence in 1...last {
                    try wal.append(StorePropertyTests.batch(sequence))
                    if sequence % 100 == 0 { try wal.seal() }
                }
                isDone.raise()
            }
            group.addTask {
                var reader = try log.reader()
                var next: UInt64 = 1
                while next <= last {
                    guard let record = try reader.next() else {
                        sched_yield()
                        continue
                    }
                    guard record.info.firstSequence == next,
                        StorePropertyTests.batch(next).payload.elementsEqual(record.payload)
                    else { throw StoreError(.recordDamaged, detail: "batch \(next) differs") }
                    next += 1
                }
            }
            group.addTask {
                var random = SplitMix64(seed: 3)
                while !isDone.isRaised {
                    let end = log.lastSequence
                    guard end > 0 else { continue }
                    let sequence = UInt64.random(in: 1...end, using: &random)
                    guard try log.batch(containing: sequence).payload == StorePropertyTests.batch(sequence).payload
                    else { throw StoreError(.recordDamaged, detail: "batch \(sequence) differs") }
                }
            }
            group.addTask {
                while !isDone.isRaised { try log.archiveSealedSegments(atMost: 1) }
            }
            try await group.waitForAll()
        }
        #expect(log.lastSequence == last)
    }

    static func batch(_ sequence: UInt64) -> Batch {
        Batch.sample(sequence, length: Int(sequence * 31 % 300), seed: sequence)
    }
}

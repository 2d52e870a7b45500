import Glibc
import TestSupport
import Testing

@testable import GuerdonStore

/// The log against every flipped bit and every truncation: refused with file and offset, or the same content, or in
/// the tail that was never synced, a prefix.
struct LogDamageTests {
    static let first = "/wal/00000000000000000001.wal"

    /// What opening and reading everything gives.
    static func read(_ path: String) throws(StoreError) -> (batches: [Batch], report: RecoveryReport) {
        let (log, report) = try WriteAheadLog.inspect(DataDirectory.open(at: path, .readOnly))
        return (try log.all(), report)
    }

    /// Writes batches into one segment; `sealed` at rest, or left unsynced behind batch `syncedBatches`.
    static func make(
        _ path: String, batches: Int, syncedBatches: Int, sealed: Bool, segmentBytes: Int = 8192
    ) throws -> [Batch] {
        let directory = try DataDirectory.open(at: path, .readWrite)
        let wal = try WriteAheadLog.open(in: directory, segmentBytes: segmentBytes)
        var model: [Batch] = []
        for index in 0..<batches {
            let batch = Batch.sample(
                wal.lastSequence + 1, count: UInt32(index % 3 + 1), length: index * 29 % 90, seed: UInt64(index))
            try wal.append(batch)
            model.append(batch)
            if index < syncedBatches { try wal.sync() }
        }
        if sealed { try wal.seal() }
        return model
    }

    @Test func everyFlippedBitOfASealedLogIsRefusedOrHarmless() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let model = try LogDamageTests.make(path, batches: 8, syncedBatches: 8, sealed: true)
        let file = path + LogDamageTests.first
        // The segment without most of the zeros that are reserved behind its last record.
        let whole = Array(try contents(file)[..<1400])
        let end = whole.withUnsafeBytes { $0.endOfNonZero }
        let seal = (end + 7) / 8 * 8 - RecordHeader.size
        for bit in 0..<whole.count * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            try overwrite(file, bytes)
            do throws(StoreError) {
                let (batches, report) = try LogDamageTests.read(path)
                // Only the trailing seal, or the emptiness behind it, can be hit without harm.
                #expect(batches == model && bit / 8 >= seal && report.tornTail != nil, "bit \(bit)")
            } catch {
                #expect(error.file == file && error.offset != nil && !error.advice.isEmpty, "bit \(bit): \(error)")
                #expect(bit / 8 < seal, "bit \(bit)")
            }
        }
    }

    @Test func everyTruncationIsRefusedOrAPrefix() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let model = try LogDamageTests.make(path, batches: 8, syncedBatches: 8, sealed: true)
        let file = path + LogDamageTests.first
        let whole = try contents(file)
        var accepted = Set<Int>()
        for length in 0..<1400 {
            try overwrite(file, Array(whole[..<length]))
            do throws(StoreError) {
                let batches = try LogDamageTests.read(path).batches
                #expect(Array(model.prefix(batches.count)) == batches, "length \(length)")
                accepted.insert(batches.count)
            } catch {
                #expect(error.file == file && error.offset != nil, "length \(length): \(error)")
            }
        }
        // A file cut by somebody is like a write cut short: only what a later record or a snapshot proves is known.
        #expect(accepted.max() == model.count)
    }

    @Test func aSnapshotProvesWhatATruncationTook() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let model = try LogDamageTests.make(path, batches: 8, syncedBatches: 8, sealed: true)
        let last = model[6].first
        try SnapshotTests.write(
            SnapshotTests.pieces(1), sequence: last, in: DataDirectory.open(at: path, .readWrite))
        let file = path + LogDamageTests.first
        let whole = try contents(file)
        for length in 64..<1400 {
            try overwrite(file, Array(whole[..<length]))
            do throws(StoreError) {
                let batches = try LogDamageTests.read(path).batches
                #expect(batches.count >= 7)
            } catch {
                #expect([.recordDamaged, .logBehindSnapshot].contains(error.code) && error.file == file)
            }
        }
    }

    /// A crash may leave any bytes in what was never synced: everything synced is found, the rest is dropped whole.
    @Test func anUnsyncedTailIsCutWhereverItIsTorn() throws {
        let scratch = Scratch()
        let source = try scratch.ledger("source")
        let model = try LogDamageTests.make(source, batches: 9, syncedBatches: 5, sealed: false)
        let whole = try contents(source + LogDamageTests.first)
        let synced = 64 + model[..<5].reduce(0) { $0 + 64 + RecordHeader.padded($1.payload.count) }
        let end = 64 + model.reduce(0) { $0 + 64 + RecordHeader.padded($1.payload.count) }
        let path = scratch.path + "/copy"
        for place in synced..<end {
            for kind in 0..<3 {
                var bytes = whole
                switch kind {
                case 0: bytes[place] ^= 0x10
                case 1: for index in place..<bytes.count { bytes[index] = 0 }
                default: for index in place..<end { bytes[index] = UInt8(truncatingIfNeeded: index &* 37 | 1) }
                }
                // Record 6 and later say that 5 batches were durable, not more.
                TemporaryDirectory.remove(path)
                try copyTree(source, path)
                try overwrite(path + LogDamageTests.first, bytes)
                let read = try LogDamageTests.read(path)
                #expect(read.batches.count >= 5 && Array(model.prefix(read.batches.count)) == read.batches)
                guard place % 7 == 0 else { continue }
                try LogDamageTests.repairAndGoOn(path, read.batches, dropped: read.report.tornTail)
            }
        }
    }

    /// Opens for writing, appends, reopens: what was found plus what was appended, and the tail kept aside.
    static func repairAndGoOn(_ path: String, _ found: [Batch], dropped: RecoveryReport.TornTail?) throws {
        let more: Batch
        do {
            let wal = try WriteAheadLog.open(in: DataDirectory.open(at: path, .readWrite), segmentBytes: 8192)
            #expect(wal.recovery.tornTail?.offset == dropped?.offset)
            #expect(wal.recovery.tornTail?.bytes == dropped?.bytes)
            if let dropped {
                let copy = try #require(wal.recovery.tornTail?.copy)
                #expect(try contents(copy).count == Int(dropped.bytes))
            }
            more = Batch.sample(wal.lastSequence + 1, length: 20, seed: 99)
            try wal.append(more)
            try wal.sync()
        }
        let read = try LogDamageTests.read(path)
        #expect(read.batches == found + [more])
        #expect(read.report.tornTail == nil)
    }

    @Test func zerosInTheMiddleOfTheLogAreDamageNotItsEnd() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let model = try LogDamageTests.make(path, batches: 9, syncedBatches: 9, sealed: false)
        let file = path + LogDamageTests.first
        let whole = try contents(file)
        let second = 64 + 64 + RecordHeader.padded(model[0].payload.count)
        for length in [8, 64, 200, 512] {
            var bytes = whole
            for index in second..<second + length { bytes[index] = 0 }
            try overwrite(file, bytes)
            let error = #expect(throws: StoreError.self) { _ = try LogDamageTests.read(path) }
            #expect(error?.code == .recordDamaged && error?.offset == UInt64(second))
        }
    }

    @Test func anEarlierSegmentMustBeWholeToItsLastByte() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        _ = try LogDamageTests.make(path, batches: 60, syncedBatches: 0, sealed: false, segmentBytes: 4096)
        let file = path + LogDamageTests.first
        let whole = try contents(file)
        for length in stride(from: 0, to: whole.count, by: 61) {
            for bytes in [Array(whole[..<length]), whole + [UInt8](repeating: 0, count: length + 1)] {
                try overwrite(file, bytes)
                let error = #expect(throws: StoreError.self) { _ = try LogDamageTests.read(path) }
                #expect(error?.offset != nil)
            }
        }
    }

    @Test func misplacedSegmentsAreRefused() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        _ = try LogDamageTests.make(path, batches: 120, syncedBatches: 0, sealed: true, segmentBytes: 4096)
        let other = try scratch.ledger("other", identity: 2)
        _ = try LogDamageTests.make(other, batches: 120, syncedBatches: 0, sealed: true, segmentBytes: 4096)
        let names = Scratch.names(path + "/wal")
        #expect(names.count >= 3)
        let second = path + "/wal/" + names[1]
        let whole = try contents(second)
        func refusal() -> StoreError? {
            #expect(throws: StoreError.self) { _ = try LogDamageTests.read(path) }
        }
        // Another ledger's, the first again, the last again, missing.
        try overwrite(second, contents(other + "/wal/" + names[1]))
        #expect(refusal()?.code == .foreignFile)
        for name in [names[0], names[names.count - 1]] {
            try overwrite(second, contents(path + "/wal/" + name))
            #expect(refusal()?.code == .segmentDamaged)
        }
        unlink(second)
        #expect(refusal()?.code == .segmentMissing)
        try overwrite(second, whole)
        let first = path + "/wal/" + names[0]
        unlink(first)
        #expect(refusal()?.code == .segmentMissing)
        for name in names.dropFirst() { unlink(path + "/wal/" + name) }
        #expect(refusal()?.code == .segmentMissing)
    }

    @Test func aNewerFormatIsNamedAndNotTakenForATornTail() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        _ = try LogDamageTests.make(path, batches: 1, syncedBatches: 0, sealed: false)
        let file = path + LogDamageTests.first
        var bytes = try contents(file)
        bytes[64 + 8] = 2
        bytes.withUnsafeMutableBytes { buffer in
            let sum = Checksum.crc32c(UnsafeRawBufferPointer(buffer).slice(64 + 8, 56))
            buffer.write(sum, at: 64 + 4)
        }
        try overwrite(file, bytes)
        let error = #expect(throws: StoreError.self) { _ = try LogDamageTests.read(path) }
        #expect(error?.code == .unsupportedVersion)
    }
}
